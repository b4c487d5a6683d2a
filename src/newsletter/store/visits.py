"""How often editions were opened and their links followed."""

from __future__ import annotations

from sqlalchemy import select

from newsletter.model.visit import Agent, Tally
from newsletter.store.engine import Store
from newsletter.store.statements import insert_into
from newsletter.store.tables import VisitRow


class Visits:
    """The Visits port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def count(self, edition_id: str, url: str, agent: Agent) -> None:
        with self._store.write() as connection:
            first = insert_into(connection, VisitRow).values(edition_id=edition_id, url=url, agent=agent, times=1)
            connection.execute(
                first.on_conflict_do_update(
                    index_elements=["edition_id", "url", "agent"], set_={"times": VisitRow.times + 1}
                )
            )

    def tallies(self, edition_id: str) -> tuple[Tally, ...]:
        query = (
            select(VisitRow.url, VisitRow.agent, VisitRow.times)
            .where(VisitRow.edition_id == edition_id)
            .order_by(VisitRow.times.desc(), VisitRow.url, VisitRow.agent)
        )
        with self._store.read() as connection:
            return tuple(Tally(url=row.url, agent=row.agent, count=row.times) for row in connection.execute(query))
