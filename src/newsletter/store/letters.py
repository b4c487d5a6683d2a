"""Single mails that wait to be sent, each asked for once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import BigInteger, Connection, String, literal, select

from newsletter.model.delivery import DeliveryState
from newsletter.model.message import LetterKind
from newsletter.store.engine import Store
from newsletter.store.given import as_given, given
from newsletter.store.statements import insert_into
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
    asked = given(connection.dialect.name, subscription_id=BigInteger(), key=String(150), due_at=UtcDateTime())
    row = LetterRow.__table__.c
    same_for_all = {
        row.kind: kind,
        row.state: DeliveryState.QUEUED,
        row.queued_at: now,
        row.attempts: 0,
        row.fence: 0,
    }
    letters = select(*asked.c, *(literal(value, column.type) for column, value in same_for_all.items()))
    statement = insert_into(connection, LetterRow).from_select(
        [row.subscription_id, row.key, row.due_at, *same_for_all],
        letters.where(asked.c.key.is_not(None)),  # SQLite needs a WHERE before ON CONFLICT
        include_defaults=False,
    )
    # Not rowcount: sqlite3 counts only statements that begin with INSERT, and this one begins with its CTE.
    unasked = statement.on_conflict_do_nothing(index_elements=["key"]).returning(LetterRow.id)
    return len(connection.execute(unasked, {"given": as_given(wanted)}).all())
