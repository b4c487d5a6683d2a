"""Single mails that wait to be sent, each asked for once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from newsletter.model.delivery import DeliveryState
from newsletter.model.message import LetterKind
from newsletter.store.engine import Store
from newsletter.store.statements import insert_into
from newsletter.store.tables import LetterRow


class Letters:
    """The Letters port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def enqueue(self, kind: LetterKind, subscription_id: int, *, key: str, now: datetime) -> bool:
        with self._store.write() as connection:
            return queue_letter(connection, kind, subscription_id, key=key, now=now)


def queue_letter(connection: Connection, kind: LetterKind, subscription_id: int, *, key: str, now: datetime) -> bool:
    """Queue a letter in the caller's transaction; False if one with this key was ever queued."""
    return queue_letters(connection, kind, [(subscription_id, key)], now=now) == 1


def queue_letters(connection: Connection, kind: LetterKind, wanted: Iterable[tuple[int, str]], *, now: datetime) -> int:
    """Queue a letter for each (subscription id, key) whose key is new; returns how many."""
    waiting = {"kind": kind, "state": DeliveryState.QUEUED, "due_at": now, "queued_at": now, "attempts": 0, "fence": 0}
    statement = (
        insert_into(connection, LetterRow).on_conflict_do_nothing(index_elements=["key"]).returning(LetterRow.id)
    )
    rows = [{"subscription_id": subscription_id, "key": key, **waiting} for subscription_id, key in wanted]
    return len(connection.execute(statement, rows).all()) if rows else 0
