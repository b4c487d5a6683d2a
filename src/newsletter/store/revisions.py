"""The forms that items had before they changed, and the editions that carry them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from newsletter.model.edition import EditionState
from newsletter.model.item import Revision
from newsletter.store.statements import chunks
from newsletter.store.tables import EditionItemRow, EditionRow, RevisionRow


def revisions_of(connection: Connection, item_ids: Collection[int]) -> dict[int, tuple[Revision, ...]]:
    """Each changed item's revisions, oldest first."""
    found: defaultdict[int, list[Revision]] = defaultdict(list)
    for some in chunks(sorted(item_ids)):
        issued = _issued(connection, some)
        asked = select(RevisionRow.__table__).where(RevisionRow.item_id.in_(some)).order_by(RevisionRow.id)
        for row in connection.execute(asked):
            editions = (edition for frozen_at, edition in issued[row.item_id] if frozen_at <= row.changed_at)
            found[row.item_id].append(_revision(row, issued_in=tuple(editions)))
    return {item_id: tuple(revisions) for item_id, revisions in found.items()}


def _revision(row: Row[Any], *, issued_in: tuple[str, ...]) -> Revision:
    return Revision(
        item_id=row.item_id,
        changed_at=row.changed_at,
        because=row.because,
        headline=row.headline,
        dek=row.dek,
        text=row.text,
        content_hash=row.content_hash,
        issued_in=issued_in,
    )


def _issued(connection: Connection, item_ids: Collection[int]) -> defaultdict[int, list[tuple[datetime, str]]]:
    """When and in which editions items were frozen, oldest first."""
    asked = (
        select(EditionItemRow.item_id, EditionRow.frozen_at, EditionRow.id)
        .join(EditionRow, EditionRow.id == EditionItemRow.edition_id)
        .where(EditionItemRow.item_id.in_(item_ids), EditionRow.state != EditionState.CANCELLED)
        .order_by(EditionRow.frozen_at)
    )
    found: defaultdict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for item_id, frozen_at, edition in connection.execute(asked):
        found[item_id].append((frozen_at, edition))
    return found
