"""What is stored already, as a decision about new entries sees it: from inside the transaction that will write it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    Select,
    Text,
    and_,
    case,
    select,
    text,
    type_coerce,
)

from newsletter.model.feed import FeedState
from newsletter.model.item import Item, Key
from newsletter.store.given import as_given, as_list, as_one, as_told, given
from newsletter.store.mapping import item_from, storable
from newsletter.store.merges import stories_parted
from newsletter.store.statements import chunks
from newsletter.store.tables import AliasRow, FeedRow, ItemRow

MOST_BEARERS = 20
"""Of one name's bearers the latest so many are told. A boilerplate paragraph names half the archive, and this runs
while everybody else waits to write.
"""


@dataclass(frozen=True, slots=True)
class StoredItems:
    """The model's `Lookup` on an open transaction."""

    connection: Connection

    def by_keys(self, keys: tuple[Key, ...]) -> Mapping[Key, tuple[int, ...]]:
        """Item ids for each known key, the owner of a strong one first, then the latest that go by it, oldest first."""
        query = _bearers(self.connection.dialect.name)
        found = {}
        for some in chunks(enumerate(keys)):
            names = [(at, key.kind, key.scope, storable(key.value)) for at, key in some]
            for at, owner, latest in as_told(self.connection.scalar(query, {"given": as_given(names)})):
                if latest:
                    found[keys[at]] = _owner_first(owner, sorted(latest))
        return found

    def items(self, ids: tuple[int, ...]) -> Mapping[int, Item]:
        """The items with these ids; those that are not there are absent."""
        return items_by_ids(self.connection, ids)

    def parted(self, ids: tuple[int, ...]) -> Mapping[int, frozenset[int]]:
        """For each of these items the stories that an operator said it does not tell."""
        return stories_parted(self.connection, ids)

    def is_held(self, feed_id: str) -> bool:
        """Whether the feed waits for an operator at this moment, whatever was known when it was asked."""
        return self.connection.scalar(select(FeedRow.state).where(FeedRow.id == feed_id)) is FeedState.HELD

    def latest(self, feed_id: str, *, limit: int) -> tuple[Item, ...]:
        """A feed's newest items, by publication date and then id."""
        newest = select(ItemRow.__table__).where(ItemRow.feed_id == feed_id)
        newest = newest.order_by(ItemRow.dated_at.desc(), ItemRow.id.desc()).limit(limit)
        return tuple(map(item_from, self.connection.execute(newest)))


def _owner_first(owner: int | None, bearers: list[int]) -> tuple[int, ...]:
    if owner is None or owner == bearers[0]:
        return tuple(bearers)
    return (owner, *(bearer for bearer in bearers if bearer != owner))


@cache
def _bearers(dialect: str) -> Select[Any]:
    """For each name that is given: its number, the item it names strongly, and the latest that go by it.

    Each is one walk in an index that ends after a few rows, however many there are.
    """
    # To no length: PostgreSQL would cut each of them to it, for both of the walks.
    names = given(dialect, at=Integer(), kind=Text(), scope=Text(), value=Text())
    this = and_(AliasRow.kind == names.c.kind, AliasRow.scope == names.c.scope, AliasRow.value == names.c.value)
    # Spelt as the partial index is: SQLite uses it for no other spelling.
    owner = select(AliasRow.item_id).where(this, text("aliases.strong")).correlate(names).scalar_subquery()
    walk = select(AliasRow.item_id).where(this).order_by(AliasRow.item_id.desc()).limit(MOST_BEARERS)
    latest = as_list(dialect, walk.correlate(names), besides=names)
    # A name that holds everywhere is never strong.
    owned = case((names.c.scope != "", type_coerce(owner, BigInteger)))
    return select(as_one(dialect, names.c.at, owned, latest)).select_from(names)


def items_by_ids(connection: Connection, ids: Sequence[int]) -> dict[int, Item]:
    """The items with these ids; those that are not there are absent."""
    return {
        row.id: item_from(row)
        for some in chunks(ids)
        for row in connection.execute(select(ItemRow.__table__).where(ItemRow.id.in_(some)))
    }
