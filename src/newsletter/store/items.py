"""Items and the stories they tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, select, update

from newsletter.model.item import ITEM_MOVES, Item, ItemState
from newsletter.store.engine import Store
from newsletter.store.mapping import item_from, storable
from newsletter.store.statements import chunks, insert_into
from newsletter.store.tables import EditionItemRow, IssueRow, ItemRow


class Items:
    """The Items port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def listed(
        self, *, feed_id: str | None = None, state: ItemState | None = None, limit: int = 500
    ) -> tuple[Item, ...]:
        query = select(ItemRow.__table__).order_by(ItemRow.dated_at.desc(), ItemRow.id.desc()).limit(limit)
        if feed_id is not None:
            query = query.where(ItemRow.feed_id == feed_id)
        if state is not None:
            query = query.where(ItemRow.state == state)
        with self._store.read() as connection:
            return tuple(item_from(row) for row in connection.execute(query))

    def candidates(self, *, list_id: str, feed_ids: Collection[str], limit: int = 1000) -> tuple[Item, ...]:
        # Two steps in one: the inner query is answered from an index alone, so only what it finds is read whole.
        found = (
            select(ItemRow.id)
            .where(
                ItemRow.state == ItemState.ACCEPTED,
                ItemRow.feed_id.in_(sorted(feed_ids)),
                ~_story_issued(list_id),
                ~_itself_issued(list_id),
            )
            .order_by(ItemRow.dated_at.desc(), ItemRow.id.desc())
            .limit(limit)
            .subquery("found")
        )
        query = select(ItemRow.__table__).join(found, found.c.id == ItemRow.id)
        with self._store.read() as connection:
            items = [item_from(row) for row in connection.execute(query)]
        return tuple(sorted(items, key=lambda item: (item.dated_at, item.id), reverse=True))

    def sources(self, story_ids: Collection[int]) -> Mapping[int, tuple[Item, ...]]:
        told: defaultdict[int, list[Item]] = defaultdict(list)
        query = select(ItemRow.__table__).where(ItemRow.state != ItemState.RETRACTED)
        with self._store.read() as connection:
            for some in chunks(sorted(story_ids)):
                rows = connection.execute(query.where(ItemRow.story_id.in_(some)))
                for item in sorted(map(item_from, rows), key=lambda item: (item.dated_at, item.id)):
                    told[item.story_id].append(item)
        return {story_id: tuple(items) for story_id, items in told.items()}

    def pass_over(self, *, list_id: str, story_ids: Collection[int]) -> int:
        rows = [{"list_id": list_id, "story_id": story_id, "edition_id": None} for story_id in sorted(set(story_ids))]
        if not rows:
            return 0
        with self._store.write() as connection:
            statement = insert_into(connection, IssueRow).on_conflict_do_nothing().returning(IssueRow.story_id)
            return len(connection.execute(statement, rows).all())

    def move(self, item_ids: Collection[int], after: ItemState, *, because: str, now: datetime) -> int:
        del now  # no column says when: an item's instants are about its text
        moved = 0
        with self._store.write() as connection:
            for some in chunks(sorted(item_ids)):
                movable = ItemRow.id.in_(some), ItemRow.state.in_(ITEM_MOVES.before(after))
                statement = update(ItemRow).where(*movable).values(state=after, because=storable(because))
                moved += connection.execute(statement).rowcount
        return moved


def _story_issued(list_id: str) -> ColumnElement[bool]:
    return exists().where(IssueRow.list_id == list_id, IssueRow.story_id == ItemRow.story_id)


def _itself_issued(list_id: str) -> ColumnElement[bool]:
    """Whether the item was in an edition as part of another story than the one it tells now."""
    claimed = and_(IssueRow.edition_id == EditionItemRow.edition_id, IssueRow.story_id == EditionItemRow.story_id)
    return exists().where(EditionItemRow.item_id == ItemRow.id, IssueRow.list_id == list_id, claimed).correlate(ItemRow)
