"""Seeing an edition before, or besides, everybody else: previews, test mails and the web version."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.deliver.smtp import Connection
from newsletter.errors import NotFoundError, RelayError
from newsletter.mailroom import Mailroom
from newsletter.model.edition import Edition
from newsletter.model.settings import Settings
from newsletter.model.variant import Place
from newsletter.readers.address import checked
from newsletter.render.archive import personal, web_version
from newsletter.store.ports import Editions, Subscribers
from newsletter.store.seam import in_thread

_ACCEPTED = range(200, 300)
_NO_RECIPIENT = Place(variant=None, because="when it was frozen they were not among its recipients")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """An edition as one reader, or nobody in particular, would get it."""

    subject: str
    html: str
    text: str
    content: bytes
    """The message itself: where a digest counts, its links are counted, and those of `html` are not."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOutcome:
    """What became of one test message."""

    address: str
    sent: bool
    because: str


class Proofs:
    """Shows frozen editions; changes nothing."""

    def __init__(self, settings: Settings, *, editions: Editions, subscribers: Subscribers, mailroom: Mailroom) -> None:
        self._settings = settings
        self._editions = editions
        self._subscribers = subscribers
        self._mailroom = mailroom

    def preview(self, edition_id: str, *, address: str | None = None) -> Preview:
        """An edition as a subscriber gets it, or with links that are nobody's.

        To somebody who does not get it the whole is shown, with the reason among the warnings.
        """
        edition, place, counting = self._editions.get(edition_id), Place(variant=""), False
        if address is None:
            recipient = self._mailroom.stranger("reader@example.org", edition_id=edition.id, list_id=edition.list_id)
        else:
            person = self._subscribers.person(address)
            found = next((each for each in person.subscriptions if each.list_id == edition.list_id), None)
            if found is None:
                raise NotFoundError("subscription", edition.list_id, hint="this person is not on the edition's list")
            recipient = self._mailroom.recipient(
                person.subscriber.address,
                name=person.subscriber.name,
                subscription_id=found.id,
                identity=f"{edition.id}/{person.subscriber.id}",
            )
            place = self._editions.variant_for(edition.id, person.subscriber.id) or _NO_RECIPIENT
            counting = person.subscriber.tracking
        form = self._editions.variant(edition.id, place.variant or "")
        rendered = self._editions.rendered(edition.id, form.document)
        html, text = personal(rendered, recipient)
        prepared = self._mailroom.prepared_edition(edition_id, form.name, counting=counting)
        content = b"".join(self._mailroom.finished(prepared, recipient))
        told = () if place.variant is not None else (f"not sent to this reader: {place.because}",)
        return Preview(
            subject=rendered.subject, html=html, text=text, content=content, warnings=(*told, *edition.warnings)
        )

    def web_version(self, edition: Edition) -> str:
        """An edition's HTML as it was sent, with nobody's fields in it."""
        list_url = f"{self._settings.publication.base_url}/lists/{edition.list_id}"
        return web_version(self._editions.rendered(edition.id), list_url=list_url)

    async def test_send(self, edition_id: str, addresses: tuple[str, ...]) -> tuple[TestOutcome, ...]:
        """Send an edition to these addresses alone, marked as a test, past the ledger. AddressError before any is."""
        addresses = tuple(checked(address) for address in addresses)
        messages = [await in_thread(self._mailroom.test_message, edition_id, address) for address in addresses]
        connection = Connection(self._settings.relays[0], hostname=self._settings.hostname)
        outcomes = []
        try:
            for message in messages:
                if not connection.is_open:
                    await connection.open()
                reply = await connection.send(message)
                taken = reply.code in _ACCEPTED
                because = f"{reply.code} {reply.text}"
                outcomes.append(TestOutcome(address=message.envelope.recipient, sent=taken, because=because))
        except RelayError as error:
            rest = addresses[len(outcomes) :]
            outcomes += [TestOutcome(address=address, sent=False, because=str(error)) for address in rest]
        finally:
            await connection.close()
        return tuple(outcomes)
