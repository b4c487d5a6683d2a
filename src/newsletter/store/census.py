"""What can be counted in the store for whoever watches it. What reads many rows says so."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select, text

from newsletter.model.delivery import DeliveryState
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.account import states_of
from newsletter.store.engine import Store
from newsletter.store.tables import SubscriptionRow


class Census:
    """The Census port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def deliveries(self, edition_id: str) -> Mapping[DeliveryState, int]:
        with self._store.read() as connection:
            return states_of(connection, edition_id)

    def subscriptions(self) -> Mapping[tuple[str, SubscriptionState], int]:
        row = SubscriptionRow
        counted = select(row.list_id, row.state, func.count().label("many")).group_by(row.list_id, row.state)
        with self._store.read() as connection:
            return {(each.list_id, each.state): each.many for each in connection.execute(counted)}

    def size_bytes(self) -> int:
        if self._store.is_sqlite:
            size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        else:
            size = "SELECT pg_database_size(current_database())"
        with self._store.read() as connection:
            return int(connection.scalar(text(size)) or 0)
