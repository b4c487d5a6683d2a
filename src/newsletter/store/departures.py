"""Why people left: counted by month, and in their words, with nothing that says whose they were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, insert, select

from newsletter.model.subscriber import Departure
from newsletter.store.engine import Store
from newsletter.store.mapping import storable
from newsletter.store.ports import Departed
from newsletter.store.statements import insert_into
from newsletter.store.tables import DepartureRow, PartingWordsRow

_REMEMBERED = timedelta(days=366)
"""How long words are kept; what they are counted under stays."""


class Departures:
    """The Departures port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def note(self, list_id: str, reason: Departure, *, words: str, now: datetime) -> None:
        month = _month(now)
        with self._store.write() as connection:
            one = insert_into(connection, DepartureRow).values(list_id=list_id, month=month, reason=reason, many=1)
            connection.execute(
                one.on_conflict_do_update(
                    index_elements=["list_id", "month", "reason"], set_={"many": DepartureRow.many + 1}
                )
            )
            if words:
                said = {"list_id": list_id, "month": month, "reason": reason, "words": storable(words)}
                connection.execute(insert(PartingWordsRow).values(said))

    def prune(self, *, now: datetime) -> int:
        """Forget words from more than a year ago, a month at a time; returns how many."""
        old = delete(PartingWordsRow).where(PartingWordsRow.month < _month(now - _REMEMBERED))
        with self._store.write() as connection:
            forgotten = connection.execute(old).rowcount
        if forgotten:
            self._store.overwrite_deleted()
        return forgotten

    def listed(self) -> tuple[Departed, ...]:
        counts = select(DepartureRow.__table__).order_by(
            DepartureRow.list_id, DepartureRow.month, DepartureRow.many.desc(), DepartureRow.reason
        )
        with self._store.read() as connection:
            rows = connection.execute(counts).all()
            words = connection.execute(select(PartingWordsRow.__table__).order_by(PartingWordsRow.id)).all()
        return tuple(
            Departed(
                list_id=row.list_id,
                month=row.month,
                reason=row.reason,
                many=row.many,
                words=tuple(
                    each.words
                    for each in words
                    if (each.list_id, each.month, each.reason) == (row.list_id, row.month, row.reason)
                ),
            )
            for row in rows
        )


def _month(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m}"
