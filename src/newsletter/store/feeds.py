"""Feeds: their health, their lease, and the one transaction that ends a poll."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select, update

from newsletter.errors import FeedError
from newsletter.model.feed import FeedHealth, FeedState, awaited
from newsletter.model.identity import Decide, Decision, KeyedEntry, Verdict
from newsletter.model.item import ITEM_MOVES, Item, ItemState, PollReport
from newsletter.model.text import together
from newsletter.store.decided import write_decisions
from newsletter.store.engine import Store
from newsletter.store.healths import healths
from newsletter.store.lookup import StoredItems
from newsletter.store.ports import Brought, Take
from newsletter.store.statements import chunks
from newsletter.store.tables import FeedRow, ItemRow
from newsletter.store.taking import is_lost, keep_all, take_all
from newsletter.store.windows import confirm_window, feeds_in_doubt, keep_window

_LOST = "it took so long that another run has asked the feed meanwhile: nothing was kept"
_PAGE = 200


class Feeds:
    """The Feeds port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def health(self, feed_id: str) -> FeedHealth | None:
        with self._store.read() as connection:
            return next(iter(healths(connection, select(FeedRow.__table__).where(FeedRow.id == feed_id))), None)

    def each_health(self) -> Iterator[FeedHealth]:
        last = ""
        page = select(FeedRow.__table__).order_by(FeedRow.id).limit(_PAGE)
        while True:
            # Each page is its own transaction: whoever reads may take their time.
            with self._store.read() as connection:
                some = healths(connection, page.where(FeedRow.id > last))
            if not some:
                return
            yield from some
            last = some[-1].feed_id

    def take(self, takes: Sequence[Take]) -> tuple[FeedHealth | None, ...]:
        with self._store.write() as connection:
            return take_all(connection, takes)

    def record_unchanged(self, *healths: FeedHealth) -> None:
        with self._store.write() as connection:
            keep_all(connection, healths)

    def record_items(
        self,
        health: FeedHealth,
        entries: tuple[KeyedEntry, ...],
        decide: Decide,
        *,
        now: datetime,
        listed: Sequence[str] | None = (),
        conclude: Callable[[FeedHealth, tuple[Decision, ...]], FeedHealth] = lambda health, _: health,
    ) -> PollReport:
        one = Brought(health=health, entries=entries, decide=decide, now=now, listed=listed, conclude=conclude)
        return self.record([one])[0]

    def record(self, polls: Sequence[Brought]) -> tuple[PollReport, ...]:
        # Serial, because what two polls find new at the same time may be one story. By feed, because two programs that
        # lock several rows must do so in one order.
        with self._store.write(serial=True) as connection:
            ordered = sorted(polls, key=lambda one: one.health.feed_id)
            reports = {id(one): _recorded(connection, one) for one in ordered}
        return tuple(reports[id(one)] for one in polls)

    def foreseen(self, entries: tuple[KeyedEntry, ...], decide: Decide) -> tuple[tuple[Decision, Item | None], ...]:
        with self._store.read() as connection:
            lookup = StoredItems(connection)
            decisions = decide(lookup, entries)
            items = lookup.items(tuple(one.item_id for one in decisions if one.item_id is not None))
        return tuple((one, items.get(one.item_id) if one.item_id is not None else None) for one in decisions)

    def doubtful(self) -> frozenset[str]:
        with self._store.read() as connection:
            return feeds_in_doubt(connection)

    def listed_again(self, feed_id: str) -> int:
        with self._store.write() as connection:
            return confirm_window(connection, feed_id)

    def release(self, feed_id: str, after: ItemState, *, because: str) -> int:
        held = ItemRow.feed_id == feed_id, ItemRow.state == ItemState.HELD
        ITEM_MOVES.check(ItemState.HELD, after)
        with self._store.write() as connection:
            waiting = update(FeedRow).where(FeedRow.id == feed_id, FeedRow.state == FeedState.HELD)
            connection.execute(waiting.values(state=FeedState.ACTIVE))
            return connection.execute(update(ItemRow).where(*held).values(state=after, because=because)).rowcount

    def known_digests(self, feed_id: str, digests: Collection[str]) -> frozenset[str]:
        found: set[str] = set()
        with self._store.read() as connection:
            for some in chunks(sorted(digests)):
                asked = ItemRow.feed_id == feed_id, ItemRow.source_digest.in_(some)
                found.update(connection.scalars(select(ItemRow.source_digest).where(*asked)))
        return frozenset(found)


def _recorded(connection: Connection, poll: Brought) -> PollReport:
    if is_lost(connection, poll.health):
        raise FeedError(poll.health.feed_id, _LOST)
    decisions = poll.decide(StoredItems(connection), poll.entries)
    health = poll.conclude(poll.health, decisions)
    keep_all(connection, [health])
    write_decisions(connection, decisions, feed_id=health.feed_id, now=poll.now)
    retracted = 0 if poll.listed is None else keep_window(connection, health.feed_id, poll.listed)
    report = replace(_report(health, decisions), retracted=retracted)
    if not report.held:
        return report
    # Now it waits for an operator, whatever it did before.
    connection.execute(update(FeedRow).where(FeedRow.id == report.feed).values(state=FeedState.HELD))
    return replace(report, because=together(awaited(report.feed, report.held), health.because))


def _report(health: FeedHealth, decisions: tuple[Decision, ...]) -> PollReport:
    """Each entry counts once: what a first poll finds too old to be news is known from then on."""
    verdicts = Counter(one.verdict for one in decisions)
    states = Counter(one.state for one in decisions if one.verdict is Verdict.NEW)
    held, not_news = states[ItemState.HELD], states[ItemState.KNOWN]
    return PollReport(
        feed=health.feed_id,
        status=health.last_status,
        new=verdicts[Verdict.NEW] - held - not_news,
        changed=verdicts[Verdict.CHANGED],
        known=verdicts[Verdict.KNOWN] + not_news,
        held=held,
        because=health.wrong,
    )
