"""What is stored already, as a decision about new entries sees it: from inside the transaction that will write it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from newsletter.model.item import Item, Key, KeyKind
from newsletter.store.mapping import item_from, storable
from newsletter.store.statements import chunks
from newsletter.store.tables import AliasRow, ItemRow


@dataclass(frozen=True, slots=True)
class StoredItems:
    """The model's `Lookup` on an open transaction."""

    connection: Connection

    def by_keys(self, keys: tuple[Key, ...]) -> Mapping[Key, tuple[int, ...]]:
        """Item ids for each known key, the owner of a strong one first."""
        asked: defaultdict[tuple[KeyKind, str], defaultdict[str, list[Key]]] = defaultdict(lambda: defaultdict(list))
        for key in keys:
            asked[key.kind, key.scope][storable(key.value)].append(key)
        found: defaultdict[Key, list[int]] = defaultdict(list)
        for (kind, scope), by_value in asked.items():
            for value, item_id in self._named(kind, scope, tuple(by_value)):
                for key in by_value[value]:
                    found[key].append(item_id)
        return {key: tuple(ids) for key, ids in found.items()}

    def _named(self, kind: KeyKind, scope: str, values: tuple[str, ...]) -> list[tuple[str, int]]:
        query = select(AliasRow.value, AliasRow.item_id).where(AliasRow.kind == kind, AliasRow.scope == scope)
        query = query.order_by(AliasRow.strong.desc(), AliasRow.item_id)
        return [
            (row.value, row.item_id)
            for some in chunks(values)
            for row in self.connection.execute(query.where(AliasRow.value.in_(some)))
        ]

    def items(self, ids: tuple[int, ...]) -> Mapping[int, Item]:
        """The items with these ids; those that are not there are absent."""
        return items_by_ids(self.connection, ids)


def items_by_ids(connection: Connection, ids: Sequence[int]) -> dict[int, Item]:
    """The items with these ids; those that are not there are absent."""
    return {
        row.id: item_from(row)
        for some in chunks(ids)
        for row in connection.execute(select(ItemRow.__table__).where(ItemRow.id.in_(some)))
    }
