"""Where messages are made: a claimed delivery, its frozen documents and the site's tokens become finished mail."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from newsletter.deliver.dkim import builders, signatures, signing_keys
from newsletter.feedback.marks import Marks
from newsletter.model.delivery import Claimed, LedgerKind
from newsletter.model.edition import Rendered
from newsletter.model.keyed import Keyed
from newsletter.model.message import Envelope, LetterKind, Message
from newsletter.model.settings import Settings
from newsletter.model.visit import Tracking
from newsletter.readers.tokens import Purpose, Tokens
from newsletter.render.headers import edition_facts, header_address, letter_facts, unsubscribe_mailto
from newsletter.render.mime import Prepared, prepare
from newsletter.render.recipient import Recipient
from newsletter.store.ports import Editions

if TYPE_CHECKING:
    from newsletter.render.environment import Templates

_MOST_PREPARED = 128
_NOT_MESSAGE_ID = re.compile(r"[^A-Za-z0-9._-]+")


class Mailroom:
    """Makes messages, in any thread. What readers share is prepared once and kept for a while.

    `key` is the site's oldest, so that a new key for tokens changes no Message-ID of an edition on its way.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        editions: Editions,
        templates: Callable[[], Templates],
        tokens: Tokens,
        marks: Marks,
        key: bytes,
    ) -> None:
        self._settings = settings
        self._editions = editions
        self._templates = templates
        self._tokens = tokens
        self._keyed = Keyed(key)
        sender_domain = header_address(settings.publication.sender.address).rpartition("@")[2]
        self._dkim = signing_keys(settings.dkim, sender_domain=sender_domain)
        self.builders = builders(self._dkim)
        """How many threads to make messages in."""
        self._marks = marks
        self._tracking = lru_cache(maxsize=_MOST_PREPARED)(self._tracking_of)
        self._prepared: OrderedDict[tuple[str, str, bool], Prepared] = OrderedDict()
        self._guard = threading.Lock()

    def message(self, claimed: Claimed) -> Message:
        """The finished message: the same bytes for the same row, however often it is made."""
        of_edition, prepared = claimed.ledger is LedgerKind.EDITION, self._for_batch(claimed)
        recipient = self.recipient(
            claimed.address,
            # Who asks to be asked may be a stranger, and a name a message of theirs.
            name="" if _is_to_a_stranger(claimed) else claimed.name,
            subscription_id=claimed.subscription_id,
            confirms="confirm" in prepared.fields,
            change=_change(claimed),
            identity=f"{claimed.batch}/{claimed.subscriber_id}" if of_edition else f"letter/{claimed.id}",
            dated_at=None if of_edition else claimed.queued_at,
        )
        return_path = self._return_path(Purpose.BOUNCE if of_edition else Purpose.LETTER, claimed.id)
        return Message(
            envelope=Envelope(sender=return_path, recipient=claimed.address),
            pieces=self.finished(prepared, recipient),
            plain_lines=True,
        )

    def test_message(self, edition_id: str, address: str) -> Message:
        """An edition for somebody who may be no subscriber: marked as a test, with links that lead nowhere personal."""
        edition = self._editions.get(edition_id)
        mailing_list = self._settings.mailing_list(edition.list_id)
        facts = edition_facts(edition, self._settings.publication.on(mailing_list), mailing_list, test=True)
        prepared = prepare(self._editions.rendered(edition_id), facts)
        return Message(
            envelope=Envelope(sender=self._settings.publication.bounce_address, recipient=address),
            pieces=self.finished(prepared, self.stranger(address, edition_id=edition_id, list_id=edition.list_id)),
        )

    def prepared_edition(self, edition_id: str, variant: str = "", *, counting: bool = False) -> Prepared:
        """An edition's message but for its reader; with `counting` its links are counted as its digest says."""
        edition = self._editions.get(edition_id)
        mailing_list = self._settings.mailing_list(edition.list_id)
        form = self._editions.variant(edition_id, variant)
        publication = self._settings.publication.on(mailing_list)
        facts = edition_facts(edition, publication, mailing_list, language=form.language)
        rendered = self._editions.rendered(edition_id, form.document)
        if counting and self._tracking(edition_id):
            rendered = self._counted(edition_id, rendered)
        return prepare(rendered, facts, text_only=form.text_only)

    def _counted(self, edition_id: str, rendered: Rendered) -> Rendered:
        from newsletter.render.counted import counted  # as in _prepare

        base, tracking, marks = self._settings.publication.base_url, self._tracking(edition_id), self._marks
        page = f"{base}/{{}}/{quote(edition_id)}/{{}}"
        return counted(
            rendered,
            base_url=base,
            link=(lambda url: page.format("l", marks.link(edition_id, url))) if Tracking.CLICKS in tracking else None,
            picture_url=page.format("o", marks.opened(edition_id)) if Tracking.OPENS in tracking else None,
        )

    def _tracking_of(self, edition_id: str) -> frozenset[Tracking]:
        """What is counted of an edition: what its digest said when it was frozen."""
        return frozenset(self._editions.pieces(edition_id).digest.tracking)

    def finished(self, prepared: Prepared, recipient: Recipient) -> tuple[bytes, ...]:
        """A reader's message with its signatures. Their time is the message's own, so they too are always the same."""
        pieces, at = prepared.pieces(recipient), recipient.dated_at or prepared.facts.dated_at
        return (*signatures(pieces, self._dkim, at=at), *pieces)

    def recipient(
        self,
        address: str,
        *,
        name: str,
        subscription_id: int,
        identity: str,
        dated_at: datetime | None = None,
        confirms: bool = True,
        change: tuple[Purpose, int] | None = None,
    ) -> Recipient:
        """A reader's own values. `identity` says which message it is: same identity, same Message-ID.

        Whoever is asked to confirm something (`confirms`) confirms a subscription, or the wish for another address
        that `change` names.
        """
        base, publication = self._settings.publication.base_url, self._settings.publication
        leaving = self._tokens.make(Purpose.UNSUBSCRIBE, subscription_id)
        return Recipient(
            address=address,
            name=name,
            message_id=self._message_id(identity),
            unsubscribe_url=f"{base}/u/{leaving}",
            unsubscribe_mailto=unsubscribe_mailto(publication.bounce_address, leaving),
            preferences_url=f"{base}/p/{self._tokens.make(Purpose.PREFERENCES, subscription_id)}",
            confirm_url=self._confirm_url(subscription_id, change) if confirms else "",
            dated_at=dated_at,
        )

    def _confirm_url(self, subscription_id: int, change: tuple[Purpose, int] | None) -> str:
        base = self._settings.publication.base_url
        if change is not None:
            return f"{base}/a/{self._tokens.make(*change)}"
        return f"{base}/c/{self._tokens.make(Purpose.CONFIRM, subscription_id)}"

    def stranger(self, address: str, *, edition_id: str, list_id: str) -> Recipient:
        """Values for somebody without a subscription: every link leads to the list's page."""
        page = f"{self._settings.publication.base_url}/lists/{list_id}"
        return Recipient(
            address=address,
            message_id=self._message_id(f"test/{edition_id}/{address}"),
            unsubscribe_url=page,
            preferences_url=page,
            confirm_url=page,
        )

    def _for_batch(self, claimed: Claimed) -> Prepared:
        of_edition = claimed.ledger is LedgerKind.EDITION
        counting = of_edition and claimed.tracking and bool(self._tracking(claimed.batch))
        key = (claimed.batch, claimed.variant, counting)
        with self._guard:
            if key not in self._prepared:
                self._prepared[key] = self._prepare(claimed, counting=counting)
                while len(self._prepared) > _MOST_PREPARED:
                    self._prepared.popitem(last=False)
            self._prepared.move_to_end(key)
            return self._prepared[key]

    def _prepare(self, claimed: Claimed, *, counting: bool) -> Prepared:
        if claimed.ledger is LedgerKind.EDITION:
            return self.prepared_edition(claimed.batch, claimed.variant, counting=counting)
        # Not at the top: who sends editions has no room for what fills in letters, and need not wait for it.
        from newsletter.render.render import render_letter

        kind = _kind(claimed)
        mailing_list = self._settings.mailing_list(claimed.list_id)
        publication = self._settings.publication.on(mailing_list)
        # Derived, not drawn: another process makes the same bytes.
        nonce = "nl" + self._digest(f"nonce/{claimed.batch}")
        rendered = render_letter(kind, publication, mailing_list, nonce, templates=self._templates())
        return prepare(rendered, letter_facts(kind, publication, mailing_list, dated_at=claimed.queued_at))

    def _return_path(self, purpose: Purpose, id_: int) -> str:
        local, _, domain = self._settings.publication.bounce_address.rpartition("@")
        return f"{local}+{self._tokens.make(purpose, id_)}@{domain}"

    def _message_id(self, identity: str) -> str:
        """Readable in a log, and telling nothing: RFC 5322's dot-atom."""
        return f"{_dot_atom(identity.rpartition('/')[0])}.{self._digest(identity)}"

    def _digest(self, text: str) -> str:
        return self._keyed.digest(f"mailroom {text}".encode()).hex()[:20]


@lru_cache(maxsize=_MOST_PREPARED)
def _dot_atom(what: str) -> str:
    return _NOT_MESSAGE_ID.sub("-", what)


def _kind(claimed: Claimed) -> LetterKind:
    return LetterKind(claimed.batch.partition("/")[0])


def _is_to_a_stranger(claimed: Claimed) -> bool:
    """Whether a letter goes to an address that anybody may have typed in."""
    return claimed.ledger is LedgerKind.LETTER and _kind(claimed) in {LetterKind.CONFIRMATION, LetterKind.MOVE_TO}


def _change(claimed: Claimed) -> tuple[Purpose, int] | None:
    return None if claimed.change_id is None else (Purpose(_kind(claimed)), claimed.change_id)
