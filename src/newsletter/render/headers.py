"""The header block of a message: one pure function from facts, nothing folded by chance."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote, urlsplit

import idna

from newsletter.model.edition import Edition
from newsletter.model.message import LetterKind
from newsletter.model.publication import Mailbox, MailingList, Publication
from newsletter.model.text import one_line
from newsletter.render.encodedwords import phrase, unstructured
from newsletter.render.recipient import Recipient, shown_name

TEST_MARK = "[Test] "
_ROOM = 62
"""Columns for a name and an address on the line where the field begins."""
_NOT_TOKEN = re.compile(r"[^A-Za-z0-9._-]+")
_SENDER_ID = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFacts:
    """All that the headers of one batch of messages depend on, besides its subject and the recipient.

    `batch` names the batch in Feedback-ID: an edition's id or a letter's kind. `listed` is true for mail that comes
    because of a subscription: it says which list and how to leave. `test` marks a trial message.
    """

    batch: str
    sender: Mailbox
    reply_to: str | None
    language: str
    base_url: str
    list_id: str
    list_title: str
    dated_at: datetime
    listed: bool = True
    test: bool = False


def edition_facts(
    edition: Edition,
    publication: Publication,
    mailing_list: MailingList,
    *,
    test: bool = False,
    language: str | None = None,
) -> MessageFacts:
    """The facts of an edition's messages, dated when it was frozen: a resend is the same message.

    `language` is that of the form of the edition, if not the publication's.
    """
    facts = _facts(edition.id, publication, mailing_list, dated_at=edition.frozen_at, test=test)
    return replace(facts, language=language or facts.language)


def letter_facts(
    kind: LetterKind, publication: Publication, mailing_list: MailingList, *, dated_at: datetime
) -> MessageFacts:
    """The facts of a kind of letter. Only the welcome comes from a subscription; else there is none to leave."""
    return _facts(kind.value, publication, mailing_list, dated_at=dated_at, listed=kind is LetterKind.WELCOME)


def _facts(
    batch: str,
    publication: Publication,
    mailing_list: MailingList,
    *,
    dated_at: datetime,
    listed: bool = True,
    test: bool = False,
) -> MessageFacts:
    return MessageFacts(
        batch=batch,
        sender=publication.sender,
        reply_to=publication.reply_to,
        language=publication.language,
        base_url=publication.base_url,
        list_id=mailing_list.id,
        list_title=mailing_list.title,
        dated_at=dated_at,
        listed=listed,
        test=test,
    )


def shared_headers(facts: MessageFacts, subject: str) -> str:
    """The fields that are the same in every message of a batch, each line ended by CRLF."""
    return "".join(
        (
            f"From: {mailbox(facts.sender.name, facts.sender.address)}\r\n",
            f"Reply-To: {header_address(facts.reply_to)}\r\n" if facts.reply_to else "",
            unstructured("Subject", one_line((TEST_MARK if facts.test else "") + subject)),
            _list_headers(facts) if facts.listed else "",
            # Stops out-of-office replies and keeps us from answering ourselves (RFC 3834).
            "Auto-Submitted: auto-generated\r\n",
            f"Feedback-ID: {_feedback_id(facts)}\r\n",
            f"Content-Language: {_NOT_TOKEN.sub('-', facts.language)}\r\n",
            "X-Newsletter-Test: yes\r\n" if facts.test else "",
        )
    )


def _list_headers(facts: MessageFacts) -> str:
    host = urlsplit(facts.base_url).hostname or "localhost"
    return (
        f"List-Id: {_angled(one_line(facts.list_title), f'{facts.list_id}.{host}')}\r\n"
        f"List-Archive: <{facts.base_url}/archive/{facts.list_id}>\r\n"
        f"List-Help: <{facts.base_url}/lists/{facts.list_id}>\r\n"
        "List-Post: NO\r\n"
        "Precedence: bulk\r\n"
    )


def _feedback_id(facts: MessageFacts) -> str:
    """Gmail's `campaign:customer:kind:sender`, of which none may tell who the reader is."""
    kind = "edition" if facts.listed else "letter"
    sender = _NOT_TOKEN.sub("", facts.sender.domain).replace(".", "")[:_SENDER_ID]
    return ":".join((_NOT_TOKEN.sub("-", facts.batch), facts.list_id, kind, sender))


def personal_headers(facts: MessageFacts, recipient: Recipient, *, date: str) -> str:
    """The fields that differ between recipients, each line ended by CRLF. `date` comes from `written_instant`."""
    domain = header_address(facts.sender.address).rpartition("@")[2]
    return (
        f"Date: {date}\r\n"
        f"To: {mailbox(shown_name(recipient), recipient.address)}\r\n"
        f"Message-ID: <{recipient.message_id}@{domain}>\r\n"
        + (_unsubscribe(recipient) if _can_leave(facts, recipient) else "")
    )


def _can_leave(facts: MessageFacts, recipient: Recipient) -> bool:
    # Who gets a trial has no subscription that one click could end.
    return facts.listed and not facts.test and bool(recipient.unsubscribe_url)


def _unsubscribe(recipient: Recipient) -> str:
    """Folded between the addresses and never inside one: providers read this field with less care than we write it."""
    mailto = f",\r\n <{recipient.unsubscribe_mailto}>" if recipient.unsubscribe_mailto else ""
    return (
        f"List-Unsubscribe: <{recipient.unsubscribe_url}>{mailto}\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    )


def unsubscribe_mailto(address: str, token: str) -> str:
    """The mailto address of List-Unsubscribe; the token says who leaves, whatever address they write from."""
    return f"mailto:{quote(header_address(address), safe='@')}?subject=unsubscribe%20{quote(token, safe='')}"


def written_instant(instant: datetime) -> str:
    """An instant as the Date field spells it."""
    return format_datetime(instant.astimezone(UTC))


def mailbox(name: str, address: str) -> str:
    """A name and an address; the address goes to a line of its own where both are long."""
    shown = header_address(address)
    return _angled(name, shown) if name else shown


def _angled(name: str, inner: str) -> str:
    words = phrase(name) if name else ""
    fits = "\r\n" not in words and len(words) + len(inner) < _ROOM
    return f"{words} <{inner}>" if fits else f"{words}\r\n <{inner}>"


def header_address(address: str) -> str:
    """An address in ASCII where that is possible: only a local part beyond ASCII needs SMTPUTF8."""
    if address.isascii():
        return address
    local, _, domain = address.rpartition("@")
    if not local.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return address
