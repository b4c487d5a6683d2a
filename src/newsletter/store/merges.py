"""Why items tell the stories they tell, and which they were parted from."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from newsletter.model.story import Merge
from newsletter.store.statements import chunks
from newsletter.store.tables import MergeRow


def merges_of(connection: Connection, item_ids: Collection[int]) -> tuple[Merge, ...]:
    """What brought these items into stories, and out of them, oldest first."""
    query = select(MergeRow.__table__).order_by(MergeRow.id)
    rows = [
        row
        for some in chunks(sorted(set(item_ids)))
        for row in connection.execute(query.where(MergeRow.item_id.in_(some)))
    ]
    return tuple(
        Merge(
            item_id=row.item_id,
            story_id=row.story_id,
            because=row.because,
            merged_at=row.merged_at,
            undone_at=row.undone_at,
        )
        for row in sorted(rows, key=lambda row: row.id)
    )


def stories_parted(connection: Connection, item_ids: Collection[int]) -> Mapping[int, frozenset[int]]:
    """For each item the stories that it is known not to tell: the last word about the two was a split."""
    found: dict[int, dict[int, bool]] = {}
    for merge in merges_of(connection, item_ids):
        found.setdefault(merge.item_id, {})[merge.story_id] = merge.undone_at is not None
    parted = {item_id: frozenset(story for story, is_so in told.items() if is_so) for item_id, told in found.items()}
    return {item_id: stories for item_id, stories in parted.items() if stories}
