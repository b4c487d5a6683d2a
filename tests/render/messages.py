"""What the tests of messages share: sample facts, a sample reader, and a message read back by the standard library."""

import email
import email.policy
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage

from newsletter.model.edition import Draft
from newsletter.render.environment import Templates
from newsletter.render.headers import MessageFacts
from newsletter.render.mime import Prepared, prepare
from newsletter.render.recipient import Recipient
from newsletter.render.render import render_digest
from newsletter.render.samples import MAILING_LIST, NONCE, PUBLICATION, plain_draft

SiteTemplates = Callable[[dict[str, str]], Templates]
"""Makes the templates of a site that has some files of its own."""

DRAFT = plain_draft()
FACTS = MessageFacts(
    batch=DRAFT.id,
    sender=PUBLICATION.sender,
    reply_to=PUBLICATION.reply_to,
    language=PUBLICATION.language,
    base_url=PUBLICATION.base_url,
    list_id=MAILING_LIST.id,
    list_title=MAILING_LIST.title,
    dated_at=DRAFT.dated_at,
)
READER = Recipient(
    address="ada@example.net",
    name="Ada Lovelace",
    message_id="daily-2026-11-23.aaaa",
    unsubscribe_url="https://news.example.org/u/aaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    unsubscribe_mailto="mailto:leave@news.example.org?subject=unsubscribe%20aaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    preferences_url="https://news.example.org/p/bbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
)


def prepared(templates: Templates, draft: Draft = DRAFT, **facts: object) -> Prepared:
    return prepare(render_digest(draft, NONCE, templates=templates), replace(FACTS, **facts))  # type: ignore[arg-type]


def parsed(message: bytes) -> EmailMessage:
    read = email.message_from_bytes(message, policy=email.policy.SMTPUTF8)
    assert isinstance(read, EmailMessage)
    assert not read.defects
    assert not any(part.defects for part in read.walk())
    return read


def part_of(message: bytes, subtype: str) -> str:
    part = parsed(message).get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def header_lines(message: bytes) -> list[bytes]:
    """The raw lines of the header block."""
    return message.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
