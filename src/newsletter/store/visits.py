"""How often editions were opened and their links followed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import structlog
from sqlalchemy import select

from newsletter.errors import StoreError
from newsletter.model.visit import Agent, Tally
from newsletter.store.engine import Store
from newsletter.store.statements import insert_into
from newsletter.store.tables import VisitRow
from newsletter.store.writer import GroupWriter

log = structlog.get_logger()

_WRITE_EVERY_SECONDS = 1.0


class _Visit(NamedTuple):
    edition_id: str
    url: str
    agent: Agent


class Visits:
    """The Visits port. What is counted is gathered and written a second later, so that a flood of it is few writes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writer: GroupWriter[_Visit] = GroupWriter(
            self._written, name="count of visits", busy=1, linger_seconds=_WRITE_EVERY_SECONDS
        )

    def close(self) -> None:
        """Write what is gathered, and count nothing more."""
        self._writer.close()

    def count(self, edition_id: str, url: str, agent: Agent) -> None:
        self._writer.submit(_Visit(edition_id, url, agent))

    def tallies(self, edition_id: str) -> tuple[Tally, ...]:
        query = (
            select(VisitRow.url, VisitRow.agent, VisitRow.times)
            .where(VisitRow.edition_id == edition_id)
            .order_by(VisitRow.times.desc(), VisitRow.url, VisitRow.agent)
        )
        with self._store.read() as connection:
            return tuple(Tally(url=row.url, agent=row.agent, count=row.times) for row in connection.execute(query))

    def _written(self, visits: Sequence[_Visit]) -> Sequence[bool]:
        # In order, so that several processes that count the same never wait in a circle.
        rows = [each._asdict() | {"times": times} for each, times in sorted(Counter(visits).items())]
        try:
            with self._store.write() as connection:
                adding = insert_into(connection, VisitRow)
                times = VisitRow.times + adding.excluded.times
                keys = list(_Visit._fields)
                connection.execute(adding.on_conflict_do_update(index_elements=keys, set_={"times": times}), rows)
        except StoreError as error:
            log.warning("visits not counted", many=len(visits), because=str(error))
            return [False] * len(visits)
        return [True] * len(visits)
