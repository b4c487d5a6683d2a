"""The only place that wires parts together: a site's settings, its store and the stages become one application."""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

import structlog

from newsletter.errors import EditionError, MoveError
from newsletter.feedback.marks import Marks
from newsletter.model.clock import Clock, SystemClock
from newsletter.model.delivery import Claimed, DeliveryState, Report
from newsletter.model.edition import Edition, EditionState
from newsletter.model.item import PollReport
from newsletter.model.message import Message
from newsletter.model.publication import Digest
from newsletter.outreach import Outreach
from newsletter.readers.signup import SignUps
from newsletter.readers.tokens import Tokens
from newsletter.site import Site
from newsletter.stopping import unless
from newsletter.store.address_changes import AddressChanges
from newsletter.store.announcements import Announcements
from newsletter.store.census import Census
from newsletter.store.departures import Departures
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.feeds import Feeds
from newsletter.store.hubs import Hubs
from newsletter.store.items import Items
from newsletter.store.keys import AddressKeys
from newsletter.store.ledger import Ledger
from newsletter.store.limits import Limits
from newsletter.store.links import Links
from newsletter.store.pacing import Pacing
from newsletter.store.ports import Slot
from newsletter.store.robots import Robots
from newsletter.store.seam import in_thread
from newsletter.store.slots import Slots
from newsletter.store.stories import Stories
from newsletter.store.subscribers import Subscribers
from newsletter.store.suppressions import Suppressions
from newsletter.store.visits import Visits
from newsletter.watch import Watch

if TYPE_CHECKING:
    from newsletter.agenda import Agenda, Settled
    from newsletter.collect.discover import Candidate
    from newsletter.compose.compose import Composed
    from newsletter.dispatch import Dispatch, Sent
    from newsletter.mailroom import Mailroom
    from newsletter.proofs import Proofs
    from newsletter.render.environment import Templates
    from newsletter.waits import Wait

log = structlog.get_logger()

_TO_CONFIRM = timedelta(days=30)
"""Who has not confirmed by then did not mean it, or never saw our mail: their address is not ours to keep."""
_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What one tick did."""

    polled: tuple[PollReport, ...]
    settled: tuple[Settled, ...]
    sent: Sent


class App:
    """A site with all its parts, ready to work. Its repositories are there for whoever only wants to look."""

    def __init__(self, site: Site, store: Store, *, clock: Clock) -> None:
        keys = site.keys()
        self.site, self.settings, self.clock = site, site.settings, clock
        # What must never change with a new key, Message-IDs and suppressions, hangs on the oldest.
        self._key = keys[-1]
        address_keys = AddressKeys(secret=self._key)
        self._store = store
        self.feeds, self.items, self.slots = Feeds(store), Items(store), Slots(store)
        self.stories, self.hubs, self.robots = Stories(store), Hubs(store), Robots(store)
        self.editions, self.limits = Editions(store), Limits(store)
        self.subscribers = Subscribers(store, keys=address_keys)
        self.address_changes = AddressChanges(store, keys=address_keys)
        self.departures = Departures(store)
        self.suppressions = Suppressions(store, keys=address_keys)
        deliver = site.settings.deliver
        self.ledger = Ledger(
            store,
            hashes_of=address_keys.hashes_of,
            patience=deliver.patience,
            longest_wait=deliver.longest_wait,
        )
        self.pacing, self.census = Pacing(store), Census(store)
        self.outreach = Outreach(
            self.settings,
            feeds=self.feeds,
            hubs=self.hubs,
            robots=self.robots,
            links=Links(store),
            editions=self.editions,
            announcements=Announcements(store),
            clock=clock,
        )
        self.watch = Watch(
            feeds=self.feeds,
            hubs=self.hubs,
            editions=self.editions,
            ledger=self.ledger,
            pacing=self.pacing,
            census=self.census,
            clock=clock,
        )
        self.sign_ups = SignUps(self._key)
        self.tokens, self.marks = Tokens(keys, reread=site.keys), Marks(keys, reread=site.keys)
        self.visits = Visits(store)
        self._freezing = asyncio.Lock()  # two that write down recipients would only be in each other's way

    @classmethod
    def open(cls, site: Site, *, clock: Clock | None = None) -> Self:
        """The application of a site; its database is made and brought up to date where needed."""
        store = Store.open(site.settings.store_url.reveal(), site_dir=site.folder)
        return cls(site, store, clock=clock or SystemClock())

    # What is loaded when it is first used: a process that only polls needs none of it, nor the memory it takes.

    @cached_property
    def templates(self) -> Templates:
        """The site's templates."""
        from newsletter.render.environment import Templates

        return Templates(self.site.template_folders)

    @cached_property
    def mailroom(self) -> Mailroom:
        """Where messages are made."""
        from newsletter.mailroom import Mailroom

        return Mailroom(
            self.settings,
            editions=self.editions,
            templates=lambda: self.templates,
            tokens=self.tokens,
            marks=self.marks,
            key=self._key,
        )

    @cached_property
    def proofs(self) -> Proofs:
        """Previews and test mails."""
        from newsletter.proofs import Proofs

        return Proofs(self.settings, editions=self.editions, subscribers=self.subscribers, mailroom=self.mailroom)

    @cached_property
    def dispatch(self) -> Dispatch:
        """What sends."""
        from newsletter.dispatch import Dispatch

        return Dispatch(
            self.settings,
            editions=self.editions,
            ledger=self.ledger,
            pacing=self.pacing,
            message=self._message,
            builders=lambda: self.mailroom.builders,
            clock=self.clock,
            freeze_rest=self.freeze_rest,
            journals=self.site.var() / "journals",
            shared=not self._store.is_sqlite,
        )

    def _message(self, claimed: Claimed) -> Message:
        return self.mailroom.message(claimed)

    @cached_property
    def agenda(self) -> Agenda:
        """What opens slots and has their editions composed."""
        from newsletter.agenda import Agenda

        return Agenda(
            self.digests(),
            slots=self.slots,
            editions=self.editions,
            clock=self.clock,
            compose=lambda digest_id, slot: self.compose(digest_id, slot=slot),
        )

    def close(self) -> None:
        """Write what waits to be written and let go of the database."""
        self.ledger.close()
        self.visits.close()
        self._store.close()

    def locked(self, command: str) -> AbstractContextManager[None]:
        """Hold the site's lock, or LockedError."""
        return self.site.locked(command)

    def locked_for_sending(self, command: str) -> AbstractContextManager[None]:
        """Hold what says that nobody else sends, or LockedError. On a database server senders share by leases."""
        return self.site.locked(command, name="sending") if self._store.is_sqlite else nullcontext()

    # Collect

    async def poll(
        self,
        feed_ids: tuple[str, ...] = (),
        *,
        force: bool = False,
        stop: asyncio.Event | None = None,
        on_feed: Callable[[PollReport], None] = lambda _: None,
    ) -> tuple[PollReport, ...]:
        """Ask the feeds that are due (these, or all); NotFoundError for one that no file describes.

        When `stop` is set, what is on its way is given up, its feeds stay due, and what was done is reported.
        """
        feeds = tuple(self.settings.feed(name) for name in feed_ids) or self.settings.feeds
        return await self.outreach.poll(feeds, force=force, stop=stop or asyncio.Event(), on_feed=on_feed)

    async def discover(self, url: str) -> tuple[Candidate, ...]:
        """The feeds behind a page; FetchError if the page cannot be had."""
        return await self.outreach.discover(url)

    async def poll_due(self, stop: asyncio.Event) -> int:
        """Ask the feeds that are due, and hubs; returns how many feeds were asked. Ends soon after `stop` is set."""
        reports = await self.poll(stop=stop)
        await unless(stop, self.outreach.tend_hubs())
        await unless(stop, self.outreach.tell_hub())
        return sum(report.status is not None or report.failed for report in reports)

    async def take_pushed(self, stop: asyncio.Event) -> int:
        """Read what hubs pushed; returns how many items that brought."""
        return sum(report.new for report in await unless(stop, self.outreach.take_pushed()) or ())

    async def check_links(self, stop: asyncio.Event) -> int:
        """Look whether pieces that wait for an edition are still there; returns how many were taken down."""
        return await unless(stop, self.outreach.check_links()) or 0

    # Compose

    def digests(self) -> tuple[Digest, ...]:
        """The digests with a schedule."""
        return tuple(digest for digest in self.settings.every_digest if digest.schedule)

    async def compose(self, digest_id: str, *, slot: Slot | None = None) -> Composed:
        """Freeze the next edition of a digest, for a slot or for now, with the first of its recipients.

        `freeze_rest` writes down the others.
        """
        from newsletter.collect.filters import refusal
        from newsletter.compose.compose import compose
        from newsletter.render.render import render_digest

        digest = self.settings.digest(digest_id)
        dated_at = slot.due_at if slot else self.clock.now()
        local = dated_at.astimezone(ZoneInfo(digest.timezone))
        composed = await compose(
            digest,
            publication=self.settings.publication.on(self.settings.mailing_list(digest.list_id)),
            lists={each.id: each for each in self.settings.lists},
            feeds={each.id: each for each in self.settings.feeds},
            items=self.items,
            editions=self.editions,
            render=partial(render_digest, templates=self.templates),
            clock=self.clock,
            nonce=_nonce,
            # No schedule has such a slot, and no two calls have the same.
            slot=slot.key if slot else local.strftime("%Y-%m-%dT%H:%M:%S.%f"),
            dated_at=dated_at,
            refusal=refusal,
            languages=await in_thread(self.templates.languages),
        )
        became = "edition composed" if composed.edition_id else "edition not composed"
        log.info(
            f"{became} before" if composed.earlier else became,
            digest=digest_id,
            edition=composed.edition_id,
            items=composed.items,
            written_down=composed.recipients,
            because=composed.because,
            warnings=len(composed.warnings),
        )
        return composed

    async def compose_due(self) -> int:
        """Compose what is due; returns how many editions came of it."""
        return sum(each.edition_id is not None for each in await self.agenda.settle_due())

    async def freeze_rest(self, stop: asyncio.Event) -> bool:
        """Write down the recipients that are still to come of editions that are frozen; whether there were any."""
        from newsletter.compose.writing_down import freeze_rest

        async with self._freezing:
            return await freeze_rest(self.editions, stop=stop)

    # Editions

    def decide(self, edition_id: str, after: EditionState, *, only_from: EditionState | None = None) -> Edition:
        """An editor's decision. EditionError if the edition is not where the decision could be made."""
        before = self.editions.get(edition_id).state
        if only_from is not None and before is not only_from:
            raise EditionError(edition_id, f"it is {before}, not {only_from}")
        try:
            return self.editions.move(edition_id, after, now=self.clock.now(), because="decided on the command line")
        except MoveError as error:
            raise EditionError(edition_id, f"it is {error.before}, which may not become {error.after}") from None

    def web_version(self, edition: Edition) -> str:
        """An edition's HTML as it was sent, with nobody's fields in it."""
        return self.proofs.web_version(edition)

    def resend(self, edition_id: str, states: tuple[DeliveryState, ...]) -> int:
        """Queue deliveries in these states again; returns how many."""
        return self.ledger.resend(edition_id, states, now=self.clock.now())

    # Deliver

    def waits(self, report: Report) -> tuple[Wait, ...]:
        """What an edition's deliveries wait for: providers that are held back, relays that warm up."""
        from newsletter.waits import waits

        return waits(report, pacing=self.pacing, settings=self.settings, now=self.clock.now())

    async def send_due(self, stop: asyncio.Event) -> int:
        """Deliver what is due; returns how many deliveries were tried."""
        return await self.dispatch.send_due(stop)

    async def settle(self) -> int:
        """Finish editions whose recipients all have an outcome; returns how many."""
        from newsletter.deliver.finish import finish

        return await finish(self.editions, self.clock)

    # All of it

    async def prune(self) -> int:
        """Forget counted windows and slowdowns that are over, old trouble, old robots.txt, old parting words, and who
        never confirmed.

        Returns how many.
        """
        now = self.clock.now()
        lists = [each.id for each in self.settings.lists]
        forget = partial(self.subscribers.forget_unconfirmed, lists, before=now - _TO_CONFIRM, now=now)
        kept_a_while = (self.limits, self.pacing, self.ledger, self.robots, self.departures)
        pruned = [await in_thread(each.prune, now=now) for each in kept_a_while]
        return sum(pruned) + await in_thread(forget)

    async def tick(self, stop: asyncio.Event) -> Tick:
        """All that is due now, once."""
        await self.take_pushed(stop)
        polled = await self.poll(stop=stop)
        await unless(stop, self.outreach.tend_hubs())
        await self.check_links(stop)
        settled = () if stop.is_set() else await self.agenda.settle_due()
        sent = await self.dispatch.send(stop=stop)
        await unless(stop, self.outreach.tell_hub())
        await self.prune()
        return Tick(polled=polled, settled=settled, sent=sent)

    def healthy(self) -> dict[str, object]:
        """What the operator's probe is told; StoreError if the store cannot be asked."""
        return self.watch.healthy()

    def alarms(self) -> tuple[str, ...]:
        """What is paused at present, each in words."""
        return self.watch.alarms()


def _nonce() -> str:
    return "nl" + "".join(secrets.choice(_ALPHABET) for _ in range(20))
