"""Counted windows, shared by all processes."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete

from newsletter.store.engine import Store
from newsletter.store.statements import insert_into
from newsletter.store.tables import LimitRow

_LONGEST_KEY = 150


class Limits:
    """The Limits port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, key: str, *, limit: int, window: timedelta, now: datetime) -> bool:
        if limit < 1:
            return False
        number = now.timestamp() // window.total_seconds()
        ends_at = datetime.fromtimestamp((number + 1) * window.total_seconds(), UTC)
        with self._store.write() as connection:
            take = insert_into(connection, LimitRow).values(
                key=_short(key), window=int(number), taken=1, ends_at=ends_at
            )
            # One statement, so that of any number of takers at once exactly `limit` get one.
            counted = take.on_conflict_do_update(
                index_elements=["key", "window"],
                set_={"taken": LimitRow.taken + 1},
                where=LimitRow.taken < limit,
            ).returning(LimitRow.taken)
            return connection.execute(counted).one_or_none() is not None

    def prune(self, *, now: datetime) -> int:
        """Forget windows that are over; returns how many."""
        with self._store.write() as connection:
            return connection.execute(delete(LimitRow).where(LimitRow.ends_at < now)).rowcount


def _short(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else "sha256:" + hashlib.sha256(key.encode()).hexdigest()
