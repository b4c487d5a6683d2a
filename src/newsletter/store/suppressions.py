"""The list of who is never mailed, and the rules for domains."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, delete, select

from newsletter.model.subscriber import SubscriptionState, Suppression
from newsletter.store.barred import suppression_from
from newsletter.store.engine import Store
from newsletter.store.keys import AddressKeys
from newsletter.store.mapping import storable
from newsletter.store.statements import CHUNK, insert_into
from newsletter.store.tables import SubscriberRow, SubscriptionRow, SuppressedDomainRow, SuppressionRow


class Suppressions:
    """The Suppressions port."""

    def __init__(self, store: Store, *, keys: AddressKeys) -> None:
        self._store = store
        self._keys = keys

    def listed(self) -> Iterator[tuple[Suppression, str | None]]:
        with self._store.read() as connection:
            addresses = self._still_known(connection)
            query = select(SuppressionRow.__table__).order_by(SuppressionRow.at, SuppressionRow.address_hash)
            for row in connection.execute(query.execution_options(yield_per=CHUNK)):
                yield suppression_from(row), addresses.get(row.address_hash)

    def domains(self) -> tuple[Suppression, ...]:
        query = select(SuppressedDomainRow.__table__).order_by(SuppressedDomainRow.pattern)
        with self._store.read() as connection:
            return tuple(map(suppression_from, connection.execute(query)))

    def add_domain(self, pattern: str, *, reason: str, now: datetime) -> bool:
        values = {"pattern": pattern, "reason": storable(reason), "at": now}
        with self._store.write() as connection:
            add = insert_into(connection, SuppressedDomainRow).values(values).on_conflict_do_nothing()
            return connection.execute(add.returning(SuppressedDomainRow.pattern)).one_or_none() is not None

    def lift_domain(self, pattern: str) -> bool:
        with self._store.write() as connection:
            gone = delete(SuppressedDomainRow).where(SuppressedDomainRow.pattern == pattern)
            return connection.execute(gone.returning(SuppressedDomainRow.pattern)).one_or_none() is not None

    def _still_known(self, connection: Connection) -> dict[str, str]:
        query = (
            select(SubscriberRow.address)
            .join(SubscriptionRow, SubscriptionRow.subscriber_id == SubscriberRow.id)
            .where(SubscriptionRow.state == SubscriptionState.SUPPRESSED)
        )
        known = (address for address in connection.scalars(query) if address is not None)
        return {hashed: address for address in known for hashed in self._keys.hashes_of(address)}
