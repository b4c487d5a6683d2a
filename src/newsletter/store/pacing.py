"""What all senders together may send: turns, days' allowances, and providers that asked for patience.

Turns are given out ahead of time in small batches. The clock is the workers' own: the row remembers how far anybody's
has come, so one that is behind gets nothing twice, and one that is far ahead is taken for a wrong clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select, update

from newsletter.model.edition import GOING
from newsletter.model.pacing import WRONG_CLOCK, Slowdown, paused, slower
from newsletter.store.books import BOOKS, WAITING
from newsletter.store.engine import Store
from newsletter.store.outcomes import told
from newsletter.store.statements import insert_into
from newsletter.store.tables import EditionRow, LimitRow, SlowdownRow, TurnRow

_LONGEST_PROVIDER = 255
_FORGOTTEN_AFTER = timedelta(days=1)

_SLOWDOWN: Select[Any] = select(*(getattr(SlowdownRow, field.name) for field in fields(Slowdown)))


class Pacing:
    """The Pacing port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def turns(
        self, scope: str, *, wanted: int, every: timedelta, ahead: timedelta, now: datetime
    ) -> tuple[datetime, int]:
        with self._store.write() as connection:
            next_at = _locked(connection, scope, now)
            if next_at > now + ahead + every + WRONG_CLOCK:
                next_at = now
            first = max(next_at, now)
            many = max(0, min(wanted, (now + ahead - first) // every + 1))
            connection.execute(update(TurnRow).where(TurnRow.scope == scope).values(next_at=first + many * every))
        return first, many

    def take_of_day(self, scope: str, day: date, *, wanted: int, limit: int, ends_at: datetime) -> int:
        with self._store.write() as connection:
            first = insert_into(connection, LimitRow).values(
                key=scope, window=day.toordinal(), taken=0, ends_at=ends_at
            )
            connection.execute(first.on_conflict_do_nothing())
            this = LimitRow.key == scope, LimitRow.window == day.toordinal()
            taken = connection.scalars(select(LimitRow.taken).where(*this).with_for_update()).one()
            granted = max(min(wanted, limit - taken), -taken)
            connection.execute(update(LimitRow).where(*this).values(taken=taken + granted))
        return max(granted, 0)

    def taken_of_day(self, scope: str, day: date) -> int:
        taken = select(LimitRow.taken).where(LimitRow.key == scope, LimitRow.window == day.toordinal())
        with self._store.read() as connection:
            return connection.scalar(taken) or 0

    def slow(self, provider: str, *, rate: float, because: str, now: datetime) -> Slowdown:
        return self._changed(provider, partial(slower, rate=rate, because=told(because), now=now))

    def pause(self, provider: str, *, because: str, now: datetime) -> Slowdown:
        return self._changed(provider, partial(paused, because=told(because), now=now))

    def _changed(self, provider: str, change: Callable[..., Slowdown]) -> Slowdown:
        provider = provider[:_LONGEST_PROVIDER]
        with self._store.write(serial=True) as connection:
            row = connection.execute(_SLOWDOWN.where(SlowdownRow.provider == provider)).one_or_none()
            after = change(Slowdown(**row._asdict()) if row else None, provider=provider)
            values = {field.name: getattr(after, field.name) for field in fields(after)}
            first = insert_into(connection, SlowdownRow).values(values)
            connection.execute(first.on_conflict_do_update(index_elements=["provider"], set_=values))
        return after

    def resume(self, provider: str) -> bool:
        with self._store.write() as connection:
            # Editions before deliveries, as who calls one off locks them: else each could wait for the other.
            going = select(EditionRow.id).where(EditionRow.state.in_(GOING))
            connection.execute(going.order_by(EditionRow.id).with_for_update()).all()
            for book in BOOKS.values():
                row = book.table.c
                in_line = row.waits_for == provider, func.lower(row.state).in_(WAITING)
                # All of them were due.
                connection.execute(update(book.table).where(*in_line).values(waits_for=None, due_at=row.queued_at))
            forgotten = delete(SlowdownRow).where(SlowdownRow.provider == provider)
            return connection.execute(forgotten).rowcount > 0

    def slowdowns(self) -> tuple[Slowdown, ...]:
        with self._store.read() as connection:
            return tuple(Slowdown(**row._asdict()) for row in connection.execute(_SLOWDOWN))

    def prune(self, *, now: datetime) -> int:
        with self._store.write() as connection:
            old = delete(SlowdownRow).where(SlowdownRow.closed_until < now - _FORGOTTEN_AFTER)
            return connection.execute(old).rowcount


def _locked(connection: Connection, scope: str, now: datetime) -> datetime:
    """When the next turn is free, by a row that is ours until the end."""
    first = insert_into(connection, TurnRow).values(scope=scope, next_at=now)
    connection.execute(first.on_conflict_do_nothing())
    return connection.scalars(select(TurnRow.next_at).where(TurnRow.scope == scope).with_for_update()).one()
