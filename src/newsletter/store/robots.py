"""Sites' robots.txt, so that no program asks for one twice a day."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from newsletter.model.robots import GOOD_FOR, RobotsFile
from newsletter.store.engine import Store
from newsletter.store.statements import insert_into
from newsletter.store.tables import RobotsRow


class Robots:
    """The Robots port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, origin: str) -> RobotsFile | None:
        with self._store.read() as connection:
            row = connection.execute(select(RobotsRow.__table__).where(RobotsRow.origin == origin)).one_or_none()
        if row is None:
            return None
        return RobotsFile(origin=row.origin, asked_at=row.asked_at, content=row.content, reachable=row.reachable)

    def keep(self, file: RobotsFile) -> None:
        values = {"asked_at": file.asked_at, "content": file.content, "reachable": file.reachable}
        with self._store.write() as connection:
            statement = insert_into(connection, RobotsRow).values(origin=file.origin, **values)
            connection.execute(statement.on_conflict_do_update(index_elements=["origin"], set_=values))

    def prune(self, *, now: datetime) -> int:
        with self._store.write() as connection:
            return connection.execute(delete(RobotsRow).where(RobotsRow.asked_at <= now - GOOD_FOR)).rowcount
