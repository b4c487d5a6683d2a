"""Moments at which editions are due: a row each, opened by whoever comes first."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Row, select, update

from newsletter.store.engine import Store
from newsletter.store.ports import Slot
from newsletter.store.statements import insert_into
from newsletter.store.tables import SlotRow

_SLOT = select(SlotRow.digest_id, SlotRow.key, SlotRow.due_at)


class Slots:
    """The Slots port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def open(self, slot: Slot) -> bool:
        with self._store.write() as connection:
            first = insert_into(connection, SlotRow).values(digest_id=slot.digest_id, key=slot.key, due_at=slot.due_at)
            opened = connection.execute(first.on_conflict_do_nothing().returning(SlotRow.key))
            return opened.one_or_none() is not None

    def unsettled(self) -> tuple[Slot, ...]:
        waiting = _SLOT.where(SlotRow.settled_at.is_(None)).order_by(SlotRow.due_at, SlotRow.digest_id)
        with self._store.read() as connection:
            return tuple(_slot_from(row) for row in connection.execute(waiting))

    def settle(self, slot: Slot, *, edition_id: str | None, because: str | None, now: datetime) -> None:
        """The first outcome stays: settling again changes nothing."""
        with self._store.write() as connection:
            connection.execute(
                update(SlotRow)
                .where(SlotRow.digest_id == slot.digest_id, SlotRow.key == slot.key, SlotRow.settled_at.is_(None))
                .values(settled_at=now, edition_id=edition_id, because=because)
            )

    def last(self, digest_id: str) -> Slot | None:
        latest = (
            _SLOT.where(SlotRow.digest_id == digest_id).order_by(SlotRow.due_at.desc(), SlotRow.key.desc()).limit(1)
        )
        with self._store.read() as connection:
            row = connection.execute(latest).one_or_none()
        return None if row is None else _slot_from(row)


def _slot_from(row: Row[str, str, datetime]) -> Slot:
    return Slot(digest_id=row.digest_id, key=row.key, due_at=row.due_at)
