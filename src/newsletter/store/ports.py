"""What the stages need from the store, a protocol a noun. Every method commits its own transaction.

All methods are synchronous and thread-safe: asynchronous code calls them through `seam.in_thread`. Values go in and
come out; no row, session or SQL is ever seen here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from newsletter.model.announcement import Announcement
from newsletter.model.delivery import Claimed, DeliveryKey, DeliveryState, LedgerKind, Report, Tried
from newsletter.model.edition import Draft, Edition, EditionState, Rendered
from newsletter.model.feed import FeedHealth
from newsletter.model.hub import HubSubscription, Push
from newsletter.model.identity import Decide, Decision, KeyedEntry
from newsletter.model.item import Item, ItemState, PollReport, Revision
from newsletter.model.link import ItemLink, LinkVerdict
from newsletter.model.message import LetterKind
from newsletter.model.pacing import Lines, Slowdown
from newsletter.model.robots import RobotsFile
from newsletter.model.segment import Segment
from newsletter.model.settings import Secret
from newsletter.model.story import ItemStory, Regrouped
from newsletter.model.subscriber import (
    AddressMove,
    Consent,
    Departure,
    Newcomer,
    Preferences,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionKind,
)
from newsletter.model.trouble import Trouble
from newsletter.model.variant import Place, Readership, Variant, Variants
from newsletter.model.visit import Agent, Tally


class Feeds(Protocol):
    """Feeds' health, and the one transaction that ends a poll."""

    def health(self, feed_id: str) -> FeedHealth | None:
        """What is remembered of a feed, None if it was never asked."""

    def each_health(self) -> Iterator[FeedHealth]:
        """Every feed ever asked, by id, read in pages."""

    def take(self, feed_id: str, *, url: str, now: datetime, lease: timedelta) -> Future[FeedHealth | None]:
        """Take a feed for polling, or None if another worker has it. A feed unknown so far is added with `url`.

        One thread does it soon: what many ask at the same time is committed together. What is kept later carries the
        fence of what was taken; if the lease ran out and another took the feed meanwhile, it is not written.
        """

    def record_unchanged(self, health: FeedHealth) -> None:
        """Keep a poll that brought no items (304, same body, an error) and give the lease back."""

    def keep(self, health: FeedHealth) -> Future[None]:
        """`record_unchanged`, soon, by the thread of `take`. It cannot be taken back."""

    def record_items(
        self,
        health: FeedHealth,
        entries: tuple[KeyedEntry, ...],
        decide: Decide,
        *,
        now: datetime,
        listed: Sequence[str] | None = (),
        conclude: Callable[[FeedHealth, tuple[Decision, ...]], FeedHealth] = ...,
    ) -> PollReport:
        """Decide about each entry and write items, aliases and `health` (with its validators) in one transaction.

        `decide` runs inside the write transaction, so two workers can never both find the same piece new; `conclude`
        may change the health for what was decided. The report counts verdicts; its `status` and `because` come from
        the health. Gives the lease back.

        `listed` are the digests of all the document's entries in its order, of known ones too: an item that is gone
        from the middle of it is retracted at the second poll, one that is back is what it was before. None for a
        document that is only a part: nothing is concluded from what is not in it. If decisions hold items, the feed
        is held. FeedError, and nothing is written, if another took the feed meanwhile.
        """

    def foreseen(self, entries: tuple[KeyedEntry, ...], decide: Decide) -> tuple[tuple[Decision, Item | None], ...]:
        """What would be decided about the entries at this moment, and the items that they are; nothing is written."""

    def doubtful(self) -> frozenset[str]:
        """Feeds from the middle of whose list something was gone at the last poll: ask `listed_again` of these."""

    def listed_again(self, feed_id: str) -> int:
        """Know that a feed lists what it listed last; returns how many items are retracted as missing a second time."""

    def release(self, feed_id: str, after: ItemState, *, because: str) -> int:
        """Move a feed's held items on and let the feed go its way again; returns how many items moved."""

    def known_digests(self, feed_id: str, digests: Collection[str]) -> frozenset[str]:
        """Those of `digests` that are some item's `source_digest` in this feed."""


class Hubs(Protocol):
    """Feeds at their hubs, and what hubs pushed."""

    def listed(self) -> tuple[HubSubscription, ...]:
        """All, by feed and hub."""

    def announcing(self) -> tuple[FeedHealth, ...]:
        """The feeds that announced a hub when they were last read, by id."""

    def at(self, token: Secret) -> HubSubscription | None:
        """The one whose address ends with this."""

    def add(self, subscription: HubSubscription) -> bool:
        """Keep a new one; False if its feed has one there."""

    def exchange(self, before: HubSubscription, after: HubSubscription) -> bool:
        """Change one that is still as it was read, else False. MoveError for a move that HUB_MOVES does not allow.

        `pushed_at` is not changed: `taken` does that.
        """

    def blame(self, before: HubSubscription, because: str) -> bool:
        """Note what is wrong with one that is still as it was read, else False."""

    def forget(self, before: HubSubscription) -> bool:
        """Forget one that is still as it was read, with what was pushed there, else False."""

    def keep(self, push: Push) -> bool:
        """Keep what was pushed, durably; False if too much of that hub and feed waits."""

    def waiting(self, *, after: int = 0) -> Push | None:
        """What waits longest of what was kept after the push with this id."""

    def taken(self, push: Push, *, pushed_at: datetime | None, because: str | None = None) -> None:
        """Forget a push, and note when it could be read, or that it could not and why."""


class Robots(Protocol):
    """Sites' robots.txt, as they were last had."""

    def of(self, origin: str) -> RobotsFile | None:
        """That of a site, by its scheme, host and port."""

    def keep(self, file: RobotsFile) -> None:
        """Keep one in place of an older one."""

    def prune(self, *, now: datetime) -> int:
        """Forget those that are too old to be believed; returns how many."""


class Links(Protocol):
    """Items' links, and what was seen there."""

    def due(self, *, now: datetime, limit: int) -> tuple[ItemLink, ...]:
        """Links to look at: of recent accepted items that no list has had, and of those that were taken down."""

    def note(self, link: ItemLink, verdict: LinkVerdict, *, now: datetime) -> bool:
        """Keep what was seen; True if the item was moved for it.

        Gone twice, an hour apart: retracted. There again: what it was before.
        """


class Items(Protocol):
    """Items and the stories they tell."""

    def listed(
        self, *, feed_id: str | None = None, state: ItemState | None = None, limit: int = 500
    ) -> tuple[Item, ...]:
        """Items newest first, by publication date and then id."""

    def candidates(self, *, list_id: str, feed_ids: Collection[str], limit: int = 1000) -> tuple[Item, ...]:
        """Accepted items of these feeds, newest first, whose story (and which themselves) were never issued on the
        list. Older ones than the first `limit` wait: they are candidates still when those have been issued.
        """

    def told(self, digest_id: str, *, weekly_id: str, since: datetime) -> tuple[Item, ...]:
        """The items, accepted still, that the digest's editions let go since then have shown, newest first; without
        stories that an edition of the digest `weekly_id` has told before.
        """

    def sources(self, story_ids: Collection[int]) -> Mapping[int, tuple[Item, ...]]:
        """For each story all its items that are not retracted, oldest first by publication."""

    def revisions(self, item_ids: Collection[int]) -> Mapping[int, tuple[Revision, ...]]:
        """The earlier forms of those items that changed, oldest first."""

    def pass_over(self, *, list_id: str, story_ids: Collection[int]) -> int:
        """Let stories count as issued on the list although no edition has them (`when_few = "skip"`).

        Returns how many were not issued before; other lists are not touched.
        """

    def move(self, item_ids: Collection[int], after: ItemState, *, because: str, now: datetime) -> int:
        """Move items to a state where ITEM_MOVES allows it; returns how many moved."""


class Stories(Protocol):
    """Which items are the same piece, as an operator decides it."""

    def about(self, item_id: int) -> ItemStory:
        """All that is known about an item besides its text, or NotFoundError."""

    def merge(self, item_ids: Sequence[int], *, because: str, now: datetime) -> Regrouped | None:
        """Let these items, and all that tell the same stories, tell the story of the first; None if they do.

        It counts as issued on every list on which one of the stories did. NotFoundError if there is no such item.
        """

    def split(self, item_id: int, *, because: str, now: datetime) -> Regrouped | None:
        """Part an item from those that tell its story; None if no other does. NotFoundError if there is no such item.

        What was shown stays issued; what was only hidden by it may be issued. Where editions showed this item alone
        it keeps the story, and the others get a new one. Polls do not put them together again.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A moment an edition was due. `key` is the local wall time, `2026-11-23T07:00`, so that no hour counts twice."""

    digest_id: str
    key: str
    due_at: datetime


class Slots(Protocol):
    """Moments at which editions are due, opened once whatever the clock does."""

    def open(self, slot: Slot) -> bool:
        """True if this call opened the slot, False if it was there (open or settled)."""

    def unsettled(self) -> tuple[Slot, ...]:
        """Opened slots without an outcome, oldest first."""

    def settle(self, slot: Slot, *, edition_id: str | None, because: str | None, now: datetime) -> None:
        """Keep what became of a slot: an edition, or why there is none."""

    def last(self, digest_id: str) -> Slot | None:
        """The latest slot of a digest that was ever opened."""


class Editions(Protocol):
    """Frozen editions."""

    def next_number(self, list_id: str) -> int:
        """One more than the highest number on the list, 1 for the first."""

    def free_id(self, wanted: str) -> str:
        """`wanted`, or `wanted-2`, `wanted-3` … where it is taken."""

    def anybody_weekly(self, list_id: str) -> bool:
        """Whether an active reader of the list wants one edition a week."""

    def last_frozen_at(self, digest_id: str) -> datetime | None:
        """When the latest edition of a digest that was not called off was frozen."""

    def readership(self, draft: Draft) -> Readership:
        """Who would get this edition if it were frozen now, in groups by what they prefer and have had."""

    def freeze(
        self,
        draft: Draft,
        rendered: Rendered,
        *,
        slot: str,
        state: EditionState,
        now: datetime,
        variants: Variants | None = None,
    ) -> int:
        """Write the edition, its pieces, its documents, its claim on the stories and one queued delivery for every
        active subscriber of the list, in one transaction; returns the number of recipients.

        With `variants` each is queued in the form for their group, and those for whom it is empty are suppressed at
        once; without, everybody gets the whole edition.

        EditionError if its id, its number, its slot or one of its stories was taken meanwhile: compose again.
        """

    def get(self, edition_id: str) -> Edition:
        """The edition, or NotFoundError."""

    def listed(self, *, limit: int = 100) -> tuple[Edition, ...]:
        """Editions, latest first."""

    def by_number(self, list_id: str, number: int) -> Edition:
        """The edition of a list with this number, or NotFoundError."""

    def newest_published(self, list_id: str) -> int:
        """The highest number of an edition of the list that was let go and not called off; 0 if there is none."""

    def published(self, list_id: str, *, first: int, last: int) -> tuple[Edition, ...]:
        """A list's editions from number `first` to `last` that were let go and not called off, latest first.

        Weekly editions are left out: they publish nothing that others have not.
        """

    def for_slot(self, digest_id: str, slot: str) -> Edition | None:
        """The edition that was frozen for this slot of a digest, if one was."""

    def rendered(self, edition_id: str, variant: str = "") -> Rendered:
        """The frozen documents of an edition, or of one of its variants that has some of its own."""

    def documents(self, edition_id: str) -> tuple[Rendered, ...]:
        """All frozen documents of an edition, its own first; none of an edition that is not there."""

    def variant(self, edition_id: str, name: str) -> Variant:
        """A form of an edition; the whole edition for the name "". NotFoundError if there is none of this name."""

    def variant_for(self, edition_id: str, subscriber_id: int) -> Place | None:
        """What one recipient gets of an edition; None for who is no recipient."""

    def pieces(self, edition_id: str) -> Draft:
        """What was frozen, as it was composed."""

    def move(self, edition_id: str, after: EditionState, *, now: datetime, because: str = "") -> Edition:
        """Move an edition where EDITION_MOVES allows it (MoveError otherwise).

        Cancelling suppresses what is still queued or deferred, and gives the stories back if nothing was ever begun.
        """

    def finish(self, *, now: datetime) -> tuple[str, ...]:
        """Finish every approved edition with no queued, sending or deferred delivery; returns their ids."""

    def report(self, edition_id: str) -> Report:
        """The account of an edition; its states add up to its recipients."""


class Ledger(Protocol):
    """Deliveries of editions, and letters: one row each, one set of moves, one fence."""

    @property
    def answer_within(self) -> timedelta:
        """How long what was begun stays its worker's."""

    def recover(self, *, now: datetime, alone: bool) -> tuple[int, int]:
        """Set right what a dead worker left: begun deliveries become unknown, leases of the rest end.

        With `alone` (we hold the site's lock) every lease is a dead one's; otherwise only those that ran out are.
        Returns (unknown, requeued).
        """

    def claim(
        self,
        *,
        owner: str,
        limit: int,
        now: datetime,
        lease: timedelta,
        edition_id: str | None = None,
        lines: Lines | None = None,
    ) -> tuple[Claimed, ...]:
        """Lease up to `limit` due deliveries, letters first, then editions in turn, each the same number.

        With `lines`, what is for a provider that is held back gets in line for it and is leased from there, so that
        nobody behind it waits; it stays queued or deferred as it was.
        Those whose subscriber is no longer active (left, suppressed, erased) become suppressed instead and are not
        returned.
        """

    def begin(self, claimed: Claimed, *, now: datetime) -> Future[bool]:
        """Mark a delivery as begun, durably, before its first byte goes out.

        False if it is no longer ours to send: lease lost, edition paused or cancelled, subscriber gone.
        Writers are grouped: one thread, one transaction for all that wait.
        """

    def record(self, tried: Tried, *, now: datetime) -> Future[bool]:
        """Keep an outcome durably. False if the fence no longer fits."""

    def begin_all(self, claimed: Sequence[Claimed], *, now: datetime) -> Future[tuple[bool, ...]]:
        """`begin` for several, in one transaction and one future."""

    def record_all(self, tried: Sequence[Tried], *, now: datetime) -> Future[tuple[bool, ...]]:
        """`record` for several, in one transaction and one future."""

    def settle(
        self, owner: str, *, answered: Sequence[Tried], started: Collection[DeliveryKey], whole: bool, now: datetime
    ) -> tuple[int, int, int]:
        """Set right what a dead worker left, by its journal.

        What it says was answered gets that outcome. Of the rest that was begun, what it says was started is unknown
        and, if it is `whole`, what it does not is queued again; if not, all of it is unknown. Leases end.
        Returns (outcomes found, unknown, requeued).
        """

    def release(self, owner: str) -> int:
        """Give back what was claimed by `owner` and not begun."""

    def line_up(self, claimed: Collection[Claimed], lines: Lines) -> int:
        """Give leased deliveries back, into the line for their provider; returns how many were still theirs."""

    def next_due_at(self, *, edition_id: str | None = None) -> datetime | None:
        """When the next queued or deferred delivery that may be sent is due; None if there is none."""

    def in_flight(self, *, edition_id: str | None = None) -> int:
        """How many deliveries are begun and not answered, by anybody."""

    def resend(self, edition_id: str, states: Collection[DeliveryState], *, now: datetime) -> int:
        """Queue deliveries in these states (deferred, failed, unknown) again; returns how many. Reopens a
        finished edition.
        """

    def requeue_unknown(self, *, now: datetime) -> int:
        """For `deliver.unknown = "resend"`: queue every unknown delivery again."""

    def prune(self, *, now: datetime) -> int:
        """Forget how much trouble mailboxes were long ago; returns how many."""

    def totals(self, kind: LedgerKind) -> Mapping[DeliveryState, int]:
        """How many rows are in each state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of newcomers, counted."""

    added: int = 0
    """Subscriptions made active or pending."""
    pending: int = 0
    """Of those, how many wait for the person to confirm."""
    known: int = 0
    """Were on the list already, active or pending."""
    left: int = 0
    """Had left: not brought back."""
    suppressed: int = 0
    """Must never be mailed again: not added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Everything known about one person."""

    subscriber: Subscriber
    subscriptions: tuple[Subscription, ...]
    consents: tuple[Consent, ...]
    deliveries: tuple[tuple[str, DeliveryState, str], ...]
    """(edition id, state, reason), latest first."""
    letters: tuple[tuple[LetterKind, DeliveryState, datetime], ...]
    """(kind, state, when it was queued), latest first."""
    suppression: Suppression | None = None
    trouble: Trouble | None = None
    """With the mailbox, as it was at the last failure."""


class Subscribers(Protocol):
    """People, their subscriptions and consent."""

    def add(
        self,
        newcomers: Sequence[Newcomer],
        *,
        confirmed: bool,
        source: str,
        text: str,
        now: datetime,
        by_person: bool = False,
    ) -> Added:
        """Add people to lists, in one transaction.

        With `confirmed` they are active at once, who was pending too; else pending, with a confirmation letter queued
        (at most one per subscription and hour). Suppressed addresses are never added. Who has left is not brought back,
        unless `by_person`: then they are pending again. Only who joins `by_person` is welcomed, or asked a second time
        to confirm. An import fills in what is empty about a person; a sign-up changes nothing about them.

        One call is one transaction, and SQLite has one writer: give a large file some thousand people at a time.
        """

    def person(self, address: str) -> Person:
        """Everything known about one person, or NotFoundError."""

    def by_address(self, address: str) -> Subscriber | None:
        """The subscriber with this address, compared without case."""

    def exported(
        self, list_id: str | None = None, *, segment: Segment | None = None, now: datetime | None = None
    ) -> Iterator[tuple[Subscriber, tuple[Subscription, ...]]]:
        """Everybody (on the list), by id, read in pages; with a segment, as of now, those in it alone."""

    def in_segment(self, list_id: str | None, segment: Segment | None, *, now: datetime) -> Mapping[str, int]:
        """How many active readers (of the list) are in a segment, by list; all of them without a segment."""

    def count(self, list_id: str, state: SubscriptionState = SubscriptionState.ACTIVE) -> int:
        """How many subscriptions of the list are in this state."""

    def subscription(self, subscription_id: int) -> Subscription:
        """One subscription, or NotFoundError."""

    def subscriber(self, subscriber_id: int) -> Subscriber:
        """One subscriber, or NotFoundError."""

    def move(
        self,
        subscription_id: int,
        after: SubscriptionState,
        *,
        source: str,
        text: str,
        now: datetime,
        token: str = "",
    ) -> bool:
        """Confirm, leave …: move, log the consent, queue the welcome or goodbye letter, suppress open deliveries of
        who left. False (and nothing done) if it already is in that state; MoveError if it cannot get there.

        `text` is what the person was shown, `token` names the link they used.
        """

    def prefer(self, subscriber_id: int, preferences: Preferences) -> None:
        """Keep what a person wants, of lists only those they are on. NotFoundError if there is no such person.

        Editions frozen from now on keep to it.
        """

    def suppress(self, address: str, *, reason: str, now: datetime, kind: SuppressionKind = ...) -> None:
        """Never mail this address again: kept as a keyed hash; its subscriptions become suppressed.

        What is kept already stays, but for an erasure, which any other kind replaces.
        """

    def lift(self, address: str, *, reason: str, now: datetime) -> Suppression | None:
        """Let an address be mailed again; returns what had kept it from that, None if nothing had (but its domain).

        Subscriptions that a bounce had stopped while active are active again; the others count as left, so that only
        the person brings themselves back.
        """

    def erase(self, address: str, *, source: str, now: datetime) -> bool:
        """Forget a person: address, name, fields, language. What waits for them is suppressed, what was counted stays.

        The address is kept as a keyed hash alone, so that no import brings it back. False if nothing was known of it
        but that hash; NotFoundError if not even that.
        """

    def forget_unconfirmed(self, lists: Sequence[str], *, before: datetime, now: datetime) -> int:
        """Erase people on these lists all of whose subscriptions wait for confirmation since before then.

        Returns how many, some hundred at most. No hash of them is kept: they may sign up at any time.
        Wishes for another address that nobody confirmed within a week are forgotten too.
        """

    def suppression(self, address: str) -> Suppression | None:
        """Why the address must not be mailed, itself or its domain; None if it may be."""

    def is_suppressed(self, address: str) -> bool:
        """Whether there is such a reason."""


class Suppressions(Protocol):
    """Who is never mailed, as a list, and the rules for whole domains."""

    def listed(self) -> Iterator[tuple[Suppression, str | None]]:
        """Every suppressed address by its hash, oldest first, with the address itself while the person is known."""

    def domains(self) -> tuple[Suppression, ...]:
        """The rules for domains, by their pattern."""

    def add_domain(self, pattern: str, *, reason: str, now: datetime) -> bool:
        """Write to nobody at this domain (`example.org`), or to nobody below it (`*.example.org`).

        A rule is asked when somebody is added and when a message is about to go out; it moves no subscription, so that
        lifting it leaves everybody where they were. False if there is one already.
        """

    def lift_domain(self, pattern: str) -> bool:
        """Take a rule back; False if there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departed:
    """How many people left a list in a month (`2026-11`) for a reason, and what they said, oldest first."""

    list_id: str
    month: str
    reason: Departure
    many: int
    words: tuple[str, ...] = ()


class Departures(Protocol):
    """Why people left, kept without whose reasons they are."""

    def note(self, list_id: str, reason: Departure, *, words: str, now: datetime) -> None:
        """Count one, and keep the words if there are any."""

    def listed(self) -> tuple[Departed, ...]:
        """All of it, by list and month, most frequent first."""


class AddressChanges(Protocol):
    """People who want another address."""

    def ask(self, subscription_id: int, address: str, *, now: datetime) -> int:
        """Write to both addresses of who has this subscription; the id of their wish, which replaces any earlier."""

    def pending(self, change_id: int, *, now: datetime) -> int | None:
        """Whose wish it is, as long as it can be confirmed; else None."""

    def confirm(self, change_id: int, side: LetterKind, *, text: str, token: str, now: datetime) -> AddressMove:
        """Confirm a wish by the letter to one address; done once both have. Subscriptions and consents stay theirs."""


class Letters(Protocol):
    """Single mails that wait to be sent."""

    def enqueue(self, kind: LetterKind, subscription_id: int, *, key: str, now: datetime) -> bool:
        """Queue a letter; False if one with this key was ever queued."""


class Limits(Protocol):
    """Counted windows, shared by all processes (sign-up floods, confirmation letters)."""

    def take(self, key: str, *, limit: int, window: timedelta, now: datetime) -> bool:
        """True if `key` was taken fewer than `limit` times in the current window; counts the take."""

    def prune(self, *, now: datetime) -> int:
        """Forget windows that are over; returns how many."""


class Pacing(Protocol):
    """What all senders together may send: turns, days' allowances, and providers that asked for patience."""

    def turns(
        self, scope: str, *, wanted: int, every: timedelta, ahead: timedelta, now: datetime
    ) -> tuple[datetime, int]:
        """Take turns of a shared rate, one `every` so often: when the first is, and how many there are.

        None is later than `ahead` from now. Nobody else gets them, whether they are used or not; with none at all,
        the time is that at which the next is free.
        """

    def take_of_day(self, scope: str, day: date, *, wanted: int, limit: int, ends_at: datetime) -> int:
        """Take up to `wanted` of the `limit` that a day has; returns how many. A negative number gives back."""

    def taken_of_day(self, scope: str, day: date) -> int:
        """How many of the day's were taken."""

    def slow(self, provider: str, *, rate: float, because: str, now: datetime) -> Slowdown:
        """Note that a provider asked for patience, and return what it gets from now on."""

    def pause(self, provider: str, *, because: str, now: datetime) -> Slowdown:
        """Note that a provider takes nothing from us, and return what it gets from now on: nothing, for a while."""

    def resume(self, provider: str) -> bool:
        """Forget that a provider asked for patience or refused us; False if it did not. What stands in line for it
        is due again.
        """

    def slowdowns(self) -> tuple[Slowdown, ...]:
        """Every provider that asked for patience lately."""

    def prune(self, *, now: datetime) -> int:
        """Forget slowdowns that have long been over; returns how many."""


class Census(Protocol):
    """What can be counted for whoever watches. What reads many rows says so: ask it seldom."""

    def deliveries(self, edition_id: str) -> Mapping[DeliveryState, int]:
        """Deliveries of an edition by state; reads a row of an index for each."""

    def subscriptions(self) -> Mapping[tuple[str, SubscriptionState], int]:
        """Subscriptions by list and state; reads a row of an index for each."""

    def size_bytes(self) -> int:
        """The size of the database."""


__all__ = [
    "Added",
    "AddressChanges",
    "Census",
    "Departed",
    "Departures",
    "Editions",
    "Feeds",
    "Items",
    "Iterable",
    "Ledger",
    "Letters",
    "Limits",
    "Pacing",
    "Person",
    "Slot",
    "Slots",
    "Stories",
    "Subscribers",
    "Suppressions",
]


class Visits(Protocol):
    """What was counted of editions whose digests count."""

    def count(self, edition_id: str, url: str, agent: Agent) -> None:
        """One more. `url` is a link of the edition, empty for the edition being opened."""

    def tallies(self, edition_id: str) -> tuple[Tally, ...]:
        """All counts of an edition, the highest first."""


class Announcements(Protocol):
    """What our hub was told of each list."""

    def last(self, list_id: str) -> Announcement | None:
        """What it was last told or is still to be told, None if nothing yet."""

    def keep(self, announcement: Announcement) -> None:
        """Put it in the place of the list's last one."""
