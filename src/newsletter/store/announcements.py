"""What our hub was told."""

from __future__ import annotations

from sqlalchemy import select

from newsletter.model.announcement import Announcement
from newsletter.store.engine import Store
from newsletter.store.statements import insert_into
from newsletter.store.tables import AnnouncementRow


class Announcements:
    """The Announcements port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def last(self, list_id: str) -> Announcement | None:
        query = select(AnnouncementRow.__table__).where(AnnouncementRow.list_id == list_id)
        with self._store.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return Announcement(list_id=row.list_id, mark=row.mark, tries=row.tries, next_try_at=row.next_try_at)

    def keep(self, announcement: Announcement) -> None:
        values = {
            "mark": announcement.mark,
            "tries": announcement.tries,
            "next_try_at": announcement.next_try_at,
        }
        with self._store.write() as connection:
            row = insert_into(connection, AnnouncementRow).values(list_id=announcement.list_id, **values)
            connection.execute(row.on_conflict_do_update(index_elements=["list_id"], set_=values))
