"""Items and the stories they tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ScalarSelect, Select, and_, func, select, update

from newsletter.model.edition import PUBLISHED, EditionState
from newsletter.model.item import ITEM_MOVES, Item, ItemState, Revision
from newsletter.store.engine import Store
from newsletter.store.lookup import items_by_ids
from newsletter.store.mapping import item_from, storable
from newsletter.store.revisions import revisions_of
from newsletter.store.statements import chunks, insert_into
from newsletter.store.tables import EditionItemRow, EditionRow, IssueRow, ItemRow
from newsletter.store.tables.base import aliased
from newsletter.store.telling import may_be_told


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
        with self._store.read() as connection:
            found = [
                (row.dated_at, row.id)
                for feed_id in sorted(set(feed_ids))
                for row in connection.execute(_unissued(list_id, feed_id, limit))
            ]
            newest = [item_id for _, item_id in sorted(found, reverse=True)[:limit]]
            items = items_by_ids(connection, newest)
        return tuple(items[item_id] for item_id in newest)

    def told(self, digest_id: str, *, weekly_id: str, since: datetime) -> tuple[Item, ...]:
        shown = _shown_by(digest_id).where(EditionRow.state.in_(PUBLISHED), EditionRow.frozen_at >= since)
        again = _shown_by(weekly_id).where(EditionRow.state != EditionState.CANCELLED)
        query = (
            select(ItemRow.__table__)
            .where(ItemRow.id.in_(shown.with_only_columns(EditionItemRow.item_id)))
            .where(may_be_told())
            .where(ItemRow.story_id.not_in(_stories_of(again)))
            .order_by(ItemRow.dated_at.desc(), ItemRow.id.desc())
        )
        with self._store.read() as connection:
            return tuple(item_from(row) for row in connection.execute(query))

    def sources(self, story_ids: Collection[int]) -> Mapping[int, tuple[Item, ...]]:
        told: defaultdict[int, list[Item]] = defaultdict(list)
        query = select(ItemRow.__table__).where(ItemRow.state != ItemState.RETRACTED)
        with self._store.read() as connection:
            for some in chunks(sorted(story_ids)):
                rows = connection.execute(query.where(ItemRow.story_id.in_(some)))
                for item in sorted(map(item_from, rows), key=_by_date):
                    told[item.story_id].append(item)
        return {story_id: tuple(items) for story_id, items in told.items()}

    def counts(self, feed_id: str) -> Mapping[ItemState, int]:
        """How many items of a feed are in each state that occurs."""
        counted = (
            select(ItemRow.state, func.count().label("many")).where(ItemRow.feed_id == feed_id).group_by(ItemRow.state)
        )
        with self._store.read() as connection:
            return {row.state: row.many for row in connection.execute(counted)}

    def revisions(self, item_ids: Collection[int]) -> Mapping[int, tuple[Revision, ...]]:
        with self._store.read() as connection:
            return revisions_of(connection, item_ids)

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
        changes = {"state": after, "because": storable(because), "retracted_from": None}
        with self._store.write() as connection:
            for some in chunks(sorted(item_ids)):
                movable = ItemRow.id.in_(some), ItemRow.state.in_(ITEM_MOVES.before(after))
                statement = update(ItemRow).where(*movable).values(changes)
                moved += connection.execute(statement).rowcount
        return moved


def _shown_by(digest_id: str) -> Select[int]:
    shown = select(EditionItemRow.item_id).join(EditionRow, EditionRow.id == EditionItemRow.edition_id)
    return shown.where(EditionRow.digest_id == digest_id)


def _stories_of(shown: Select[int]) -> Select[int]:
    """The stories that items tell now: they may have been merged or split since they were shown."""
    item = aliased(ItemRow)
    return shown.join(item, item.id == EditionItemRow.item_id).with_only_columns(item.story_id)


def _by_date(item: Item) -> tuple[datetime, int]:
    return item.dated_at, item.id


def _unissued(list_id: str, feed_id: str, limit: int) -> Select[datetime, int]:
    """A feed's candidates. One index has all it asks about; it walks that from the newest on and stops at the limit.

    Neither question is a NOT EXISTS, because PostgreSQL would answer it for all items ever issued before the first row.
    """
    return (
        select(ItemRow.dated_at, ItemRow.id)
        .where(ItemRow.state == ItemState.ACCEPTED, ItemRow.feed_id == feed_id)
        .where(_story_issued(list_id).is_(None), _itself_issued(list_id).is_(None))
        .order_by(ItemRow.dated_at.desc(), ItemRow.id.desc())
        .limit(limit)
    )


def _story_issued(list_id: str) -> ScalarSelect[int]:
    """Not null if the story was."""
    issued = select(IssueRow.story_id).where(IssueRow.list_id == list_id, IssueRow.story_id == ItemRow.story_id)
    return issued.correlate(ItemRow).scalar_subquery()


def _itself_issued(list_id: str) -> ScalarSelect[int]:
    """Not null if the item was in an edition as part of another story than the one it tells now."""
    claimed = and_(IssueRow.edition_id == EditionItemRow.edition_id, IssueRow.story_id == EditionItemRow.story_id)
    issued = select(IssueRow.story_id).where(EditionItemRow.item_id == ItemRow.id, IssueRow.list_id == list_id, claimed)
    return issued.limit(1).correlate(ItemRow).scalar_subquery()
