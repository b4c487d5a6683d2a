"""Single mails that wait to be sent, each asked for once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache

from sqlalchemy import BigInteger, Connection, String, bindparam, literal, select
from sqlalchemy.sql.dml import ReturningInsert

from newsletter.model.delivery import DeliveryState
from newsletter.model.message import LetterKind
from newsletter.store.engine import Store
from newsletter.store.given import as_given, given
from newsletter.store.statements import insert_for
from newsletter.store.tables import LetterRow
from newsletter.store.types import UtcDateTime


class Letters:
    """The Letters port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def enqueue(self, kind: LetterKind, subscription_id: int, *, key: str, now: datetime) -> bool:
        with self._store.write() as connection:
            return queue_letter(connection, kind, subscription_id, key=key, now=now)


def queue_letter(connection: Connection, kind: LetterKind, subscription_id: int, *, key: str, now: datetime) -> bool:
    """Queue a letter in the caller's transaction; False if one with this key was ever queued."""
    return queue_letters(connection, kind, [(subscription_id, key, now)], now=now) == 1


def queue_letters(
    connection: Connection, kind: LetterKind, wanted: Iterable[tuple[int, str, datetime]], *, now: datetime
) -> int:
    """Queue a letter for each (subscription id, key, when it is due) whose key is new; returns how many."""
    told = {"given": as_given(wanted), "of_kind": kind, "now": now}
    # Not rowcount: sqlite3 counts only statements that begin with INSERT, and this one begins with its CTE.
    return len(connection.execute(_queueing(connection.dialect.name), told).all())


@cache
def _queueing(dialect: str) -> ReturningInsert[tuple[int]]:
    """Made once: to make it takes longer than to run it."""
    asked = given(dialect, subscription_id=BigInteger(), key=String(150), due_at=UtcDateTime())
    row = LetterRow.__table__.c
    same_for_all = {
        row.kind: bindparam("of_kind", type_=row.kind.type),
        row.state: literal(DeliveryState.QUEUED, row.state.type),
        row.queued_at: bindparam("now", type_=row.queued_at.type),
        row.attempts: literal(0),
        row.fence: literal(0),
    }
    statement = insert_for(dialect, LetterRow).from_select(
        [row.subscription_id, row.key, row.due_at, *same_for_all],
        # SQLite needs a WHERE before ON CONFLICT.
        select(*asked.c, *same_for_all.values()).where(asked.c.key.is_not(None)),
        include_defaults=False,
    )
    return statement.on_conflict_do_nothing(index_elements=["key"]).returning(LetterRow.id)
