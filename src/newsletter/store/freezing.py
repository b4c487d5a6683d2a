"""What freezing an edition writes besides its recipients, inside one transaction."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Connection, insert, select

from newsletter.errors import EditionError
from newsletter.model.edition import Draft, EditionState, Rendered
from newsletter.store.frozen import draft_text, rendered_text
from newsletter.store.tables import (
    DocumentRow,
    EditionItemRow,
    EditionRow,
    IssueRow,
    ItemRow,
)
from newsletter.store.telling import may_be_told


def check_told(connection: Connection, draft: Draft) -> None:
    """EditionError if an item was withdrawn, or given another story, since it was chosen.

    They are locked, so that neither can happen before the end.
    """
    chosen = {(piece.item_id, piece.story_id) for piece in draft.pieces}
    ids = [item_id for item_id, _ in chosen]
    told = select(ItemRow.id, ItemRow.story_id).where(ItemRow.id.in_(ids), may_be_told())
    found = {(row.id, row.story_id) for row in connection.execute(told.with_for_update(read=True))}
    if gone := len(chosen - found):
        raise EditionError(draft.id, f"{gone} of its items were withdrawn, merged or split meanwhile: compose again")


def insert_edition(
    connection: Connection, draft: Draft, rendered: Rendered, *, slot: str, state: EditionState, now: datetime
) -> None:
    connection.execute(
        insert(EditionRow).values(
            id=draft.id,
            digest_id=draft.digest.id,
            list_id=draft.mailing_list.id,
            number=draft.number,
            state=state,
            state_because="",
            subject=rendered.subject,
            slot=slot,
            dated_at=draft.dated_at,
            frozen_at=now,
            state_at=now,
            template_hash=rendered.template_hash,
            warnings=json.dumps(rendered.warnings, ensure_ascii=False),
            draft=draft_text(draft),
        )
    )
    connection.execute(insert(DocumentRow).values(edition_id=draft.id, variant="", rendered=rendered_text(rendered)))


def insert_pieces(connection: Connection, draft: Draft) -> None:
    """The items' places, and the claim on their stories that a second edition of the list runs into."""
    numbered = list(enumerate(draft.pieces))
    if not numbered:
        return
    connection.execute(
        insert(EditionItemRow),
        [
            {"edition_id": draft.id, "position": place, "item_id": piece.item_id, "story_id": piece.story_id}
            for place, piece in numbered
        ],
    )
    if draft.digest.weekly_of:
        return  # the week's editions have issued them
    connection.execute(
        insert(IssueRow),
        [
            {"list_id": draft.mailing_list.id, "story_id": story, "edition_id": draft.id}
            for story in sorted(piece.story_id for piece in draft.pieces)  # all composers in one order: no deadlock
        ],
    )
