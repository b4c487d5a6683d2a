"""Stories put together and taken apart by an operator, so that nothing issued goes out a second time.

A list's claim on a story (a row of `issues`) goes with the items that were shown: it is copied to the story that they
tell now, under the same edition, so that calling off the edition gives it back everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, insert, select, update

from newsletter.errors import NotFoundError
from newsletter.model.item import ItemState, Key
from newsletter.model.story import ItemStory, Regrouped
from newsletter.store.engine import Store
from newsletter.store.lookup import items_by_ids
from newsletter.store.mapping import item_from, storable
from newsletter.store.merges import merges_of, stories_parted
from newsletter.store.statements import insert_into
from newsletter.store.tables import AliasRow, EditionItemRow, IssueRow, ItemRow, MergeRow, StoryRow

_Claims = set[tuple[str, str | None]]
"""(list id, edition id)."""


class Stories:
    """The Stories port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def about(self, item_id: int) -> ItemStory:
        with self._store.read() as connection:
            item = items_by_ids(connection, [item_id]).get(item_id)
            if item is None:
                raise NotFoundError("item", str(item_id))
            told = map(item_from, connection.execute(_items_of([item.story_id])))
            sources = tuple(other for other in told if other.id != item_id)
            return ItemStory(
                item=item,
                keys=_keys(connection, item_id),
                sources=sources,
                merges=merges_of(connection, [item_id, *(other.id for other in sources)]),
                issued=tuple(sorted(_claims(connection, [item.story_id], []), key=lambda one: (one[0], one[1] or ""))),
            )

    def merge(self, item_ids: Sequence[int], *, because: str, now: datetime) -> Regrouped | None:
        with self._store.write(serial=True) as connection:
            stories = list(dict.fromkeys(_story_of(connection, item_id) for item_id in item_ids))
            target, others = stories[0], stories[1:]
            if not others:
                return None
            tellers = _locked(connection, stories)
            moved = [item_id for item_id, story_id in tellers.items() if story_id != target]
            claims = _claims(connection, stories, tellers)
            _tell(connection, moved, target, because=because)
            _note(connection, moved, target, because=because, merged_at=now)
            _inherit_splits(connection, others, target, but=tellers)
            _claim(connection, target, claims)
        return Regrouped(story_id=target, items=tuple(moved))

    def split(self, item_id: int, *, because: str, now: datetime) -> Regrouped | None:
        with self._store.write(serial=True) as connection:
            story = _story_of(connection, item_id)
            tellers = _locked(connection, [story])
            rest = [other for other in tellers if other != item_id]
            if not rest:
                return None
            leaving = rest if _was_shown_alone(connection, story, item_id, rest) else [item_id]
            own = connection.scalars(insert(StoryRow).returning(StoryRow.id), {"created_at": now}).one()
            passed_over = {(list_id, None) for list_id, edition in _claims(connection, [story], []) if edition is None}
            claims = _claims(connection, [], leaving) | passed_over
            _tell(connection, leaving, own, because=because)
            _part(connection, leaving, story, because=because, now=now)
            together = f"stayed together when item {item_id} was split off"
            _note(connection, leaving[1:], own, because=together, merged_at=now)
            _claim(connection, own, claims)
        return Regrouped(story_id=own, items=tuple(leaving))


def _story_of(connection: Connection, item_id: int) -> int:
    """NotFoundError if there is no such item."""
    found = connection.scalar(select(ItemRow.story_id).where(ItemRow.id == item_id))
    if found is None:
        raise NotFoundError("item", str(item_id))
    return found


def _items_of(stories: Collection[int]) -> Select[Any]:
    return select(ItemRow.__table__).where(ItemRow.story_id.in_(stories)).order_by(ItemRow.dated_at, ItemRow.id)


def _locked(connection: Connection, stories: Collection[int]) -> dict[int, int]:
    """Item id → story id of all that tell these stories; until the end nobody can freeze an edition of them."""
    query = select(ItemRow.id, ItemRow.story_id).where(ItemRow.story_id.in_(stories)).order_by(ItemRow.id)
    return {row.id: row.story_id for row in connection.execute(query.with_for_update())}


def _keys(connection: Connection, item_id: int) -> tuple[Key, ...]:
    query = select(AliasRow.kind, AliasRow.scope, AliasRow.value, AliasRow.strong).where(AliasRow.item_id == item_id)
    keys = (Key(row.kind, row.scope, row.value, row.strong) for row in connection.execute(query))
    return tuple(sorted(keys, key=lambda key: (not key.strong, key)))


def _claims(connection: Connection, stories: Collection[int], items: Collection[int]) -> _Claims:
    """Lists on which these stories count as issued, or these items were shown as whatever story they told then."""
    of_stories = select(IssueRow.list_id, IssueRow.edition_id).where(IssueRow.story_id.in_(stories))
    shown_as = and_(IssueRow.edition_id == EditionItemRow.edition_id, IssueRow.story_id == EditionItemRow.story_id)
    of_items = (
        select(IssueRow.list_id, IssueRow.edition_id)
        .join(EditionItemRow, shown_as)
        .where(EditionItemRow.item_id.in_(items))
    )
    return {(row.list_id, row.edition_id) for query in (of_stories, of_items) for row in connection.execute(query)}


def _claim(connection: Connection, story: int, claims: _Claims) -> None:
    """Let a story count as issued by each of these.

    Where a list has it from several editions no one of them can give it back: it stays issued, without an edition.
    """
    editions: dict[str, set[str | None]] = {}
    for list_id, edition_id in claims | _claims(connection, [story], []):
        editions.setdefault(list_id, set()).add(edition_id)
    rows = [
        {"list_id": list_id, "story_id": story, "edition_id": next(iter(those)) if len(those) == 1 else None}
        for list_id, those in sorted(editions.items())
    ]
    if rows:
        statement = insert_into(connection, IssueRow)
        kept = {"edition_id": statement.excluded.edition_id}
        connection.execute(statement.on_conflict_do_update(index_elements=["list_id", "story_id"], set_=kept), rows)


def _tell(connection: Connection, item_ids: Sequence[int], story: int, *, because: str) -> None:
    """Let items tell this story. A reason for being held or dropped is worth more than this one, and stays."""
    ours = ItemRow.id.in_(item_ids)
    connection.execute(update(ItemRow).where(ours).values(story_id=story))
    accepted = update(ItemRow).where(ours, ItemRow.state == ItemState.ACCEPTED)
    connection.execute(accepted.values(because=storable(because)))


def _note(connection: Connection, item_ids: Iterable[int], story: int, *, because: str, merged_at: datetime) -> None:
    """Keep why these items tell this story."""
    rows = [
        {"item_id": item_id, "story_id": story, "because": storable(because), "merged_at": merged_at}
        for item_id in item_ids
    ]
    if rows:
        connection.execute(insert(MergeRow), rows)


def _part(connection: Connection, item_ids: Sequence[int], story: int, *, because: str, now: datetime) -> None:
    """Undo what brought these items into the story, and keep that they do not tell it."""
    open_ones = MergeRow.item_id.in_(item_ids), MergeRow.story_id == story, MergeRow.undone_at.is_(None)
    connection.execute(update(MergeRow).where(*open_ones).values(undone_at=now))
    same = {"story_id": story, "because": storable(because), "merged_at": now, "undone_at": now}
    connection.execute(insert(MergeRow), [{"item_id": item_id, **same} for item_id in item_ids])


def _inherit_splits(connection: Connection, stories: Collection[int], target: int, *, but: Collection[int]) -> None:
    """What was parted from a story is parted from the one that it has become part of, unless it is in it now."""
    ids = set(connection.scalars(select(MergeRow.item_id).where(MergeRow.story_id.in_(stories)))) - set(but)
    for item_id, parted in stories_parted(connection, ids).items():
        if parted & set(stories) and target not in parted:
            last = [one for one in merges_of(connection, [item_id]) if one.story_id in stories][-1]
            at = {"merged_at": last.merged_at, "undone_at": last.undone_at}
            connection.execute(
                insert(MergeRow), {"item_id": item_id, "story_id": target, "because": last.because, **at}
            )


def _was_shown_alone(connection: Connection, story: int, item_id: int, rest: Collection[int]) -> bool:
    """Whether editions showed this item for the story and none of the rest: then the claim on the story is its own."""
    held = IssueRow.edition_id == EditionItemRow.edition_id
    shown = (
        select(EditionItemRow.item_id)
        .join(IssueRow, held)
        .where(IssueRow.story_id == story, EditionItemRow.item_id.in_([item_id, *rest]))
    )
    return set(connection.scalars(shown)) == {item_id}
