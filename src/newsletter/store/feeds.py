"""Feeds: their health, their lease, and the one transaction that ends a poll."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select, update

from newsletter.model.feed import FeedHealth, FeedState
from newsletter.model.identity import Decide, Decision, KeyedEntry, Verdict
from newsletter.model.item import ITEM_MOVES, ItemState, PollReport
from newsletter.store.decided import write_decisions
from newsletter.store.engine import Store
from newsletter.store.lookup import StoredItems
from newsletter.store.mapping import health_from, health_values
from newsletter.store.statements import chunks, insert_into
from newsletter.store.tables import FeedRow, ItemRow
from newsletter.store.windows import confirm_window, keep_window


class Feeds:
    """The Feeds port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def health(self, feed_id: str) -> FeedHealth | None:
        with self._store.read() as connection:
            row = connection.execute(select(FeedRow.__table__).where(FeedRow.id == feed_id)).one_or_none()
        return health_from(row) if row else None

    def all_health(self) -> tuple[FeedHealth, ...]:
        with self._store.read() as connection:
            rows = connection.execute(select(FeedRow.__table__).order_by(FeedRow.id)).all()
        return tuple(health_from(row) for row in rows)

    def lease(self, feed_id: str, *, url: str, now: datetime, lease: timedelta) -> FeedHealth | None:
        unknown = FeedHealth(feed_id=feed_id, url=url, state=FeedState.NEW)
        free = or_(FeedRow.leased_until.is_(None), FeedRow.leased_until <= now)
        take = update(FeedRow).where(FeedRow.id == feed_id, free).values(leased_until=now + lease)
        with self._store.write() as connection:
            connection.execute(insert_into(connection, FeedRow).on_conflict_do_nothing(), health_values(unknown))
            row = connection.execute(take.returning(FeedRow.__table__)).one_or_none()
        return health_from(row) if row else None

    def record_unchanged(self, health: FeedHealth, *, same_list: bool = False) -> int:
        with self._store.write() as connection:
            _keep(connection, health)
            return confirm_window(connection, health.feed_id) if same_list else 0

    def record_items(
        self,
        health: FeedHealth,
        entries: tuple[KeyedEntry, ...],
        decide: Decide,
        *,
        now: datetime,
        listed: Sequence[str] = (),
    ) -> PollReport:
        # Serial, because what two polls find new at the same time may be one story.
        with self._store.write(serial=True) as connection:
            _keep(connection, health)
            decisions = decide(StoredItems(connection), entries)
            write_decisions(connection, decisions, feed_id=health.feed_id, now=now)
            retracted = keep_window(connection, health.feed_id, listed)
            report = replace(_report(health, decisions), retracted=retracted)
            if report.held:
                report = replace(report, because=_hold(connection, report))
        return report

    def release(self, feed_id: str, after: ItemState, *, because: str) -> int:
        held = ItemRow.feed_id == feed_id, ItemRow.state == ItemState.HELD
        ITEM_MOVES.check(ItemState.HELD, after)
        with self._store.write() as connection:
            waiting = update(FeedRow).where(FeedRow.id == feed_id, FeedRow.state == FeedState.HELD)
            connection.execute(waiting.values(state=FeedState.ACTIVE, because=None))
            return connection.execute(update(ItemRow).where(*held).values(state=after, because=because)).rowcount

    def known_digests(self, feed_id: str, digests: Collection[str]) -> frozenset[str]:
        found: set[str] = set()
        with self._store.read() as connection:
            for some in chunks(sorted(digests)):
                asked = ItemRow.feed_id == feed_id, ItemRow.source_digest.in_(some)
                found.update(connection.scalars(select(ItemRow.source_digest).where(*asked)))
        return frozenset(found)


def _keep(connection: Connection, health: FeedHealth) -> None:
    """Write a feed's row as it is now known, and give its lease back."""
    values = health_values(health) | {"leased_until": None}
    statement = insert_into(connection, FeedRow).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def _hold(connection: Connection, report: PollReport) -> str:
    """Let the feed wait for an operator; returns why."""
    because = (
        f"{report.held} items that came at once are held: look at them with `newsletter items --feed {report.feed}"
        f" --state held`, then `newsletter feeds release {report.feed}`"
    )
    held = update(FeedRow).where(FeedRow.id == report.feed)
    connection.execute(held.values(state=FeedState.HELD, because=because))
    return because


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
        because=health.because,
    )
