"""Deliveries of an edition whose readers do not all get the same of it, and the account of its forms."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, String, Text, func, insert, literal

from newsletter.errors import EditionError
from newsletter.model.delivery import DeliveryState
from newsletter.model.edition import Draft
from newsletter.model.variant import Group, Place, Variants
from newsletter.store.books import DELIVERIES
from newsletter.store.frozen import rendered_text
from newsletter.store.given import as_given
from newsletter.store.readership import Crowd, placed, readership_of
from newsletter.store.tables import DocumentRow, SubscriptionRow, VariantRow
from newsletter.store.types import UtcDateTime

NOTHING = "[]"
"""No stories, as the columns of a form have it."""


def insert_placed(connection: Connection, draft: Draft, crowd: Crowd, variants: Variants, *, now: datetime) -> int:
    """A delivery for everybody in the crowd, in the form for their group, settled where there is nothing for them.

    Returns how many; EditionError if another edition with stories of this one was frozen since the forms were made.
    """
    readership, keys = readership_of(connection, crowd)
    if readership.overlap != variants.readership.overlap:
        raise EditionError(draft.id, "another edition with stories of this one was frozen meanwhile: compose again")
    places = [variants.place(group) for group in readership.groups]
    _insert_forms(connection, draft, variants, list(zip(readership.groups, places, strict=True)))
    rows = [(*key, *_delivery(place, now=now)) for key, place in zip(keys, places, strict=True)]
    written = _insert_deliveries(connection, draft, crowd, rows, now=now)
    # sqlite3 counts only statements that begin with INSERT, and this one begins with its CTE.
    return written if written >= 0 else sum(group.readers for group in readership.groups)


def _delivery(place: Place, *, now: datetime) -> tuple[Any, ...]:
    """(variant, state, because, settled at)."""
    if place.variant is None:
        return "", DeliveryState.SUPPRESSED, place.because, now
    return place.variant, DeliveryState.QUEUED, None, None


def _insert_forms(
    connection: Connection, draft: Draft, variants: Variants, placed_groups: Sequence[tuple[Group, Place]]
) -> None:
    readers = _counted(placed_groups)
    rows = [
        {
            "edition_id": draft.id,
            "variant": form.name,
            "document": form.document,
            "text_only": form.text_only,
            "language": form.language,
            "left_out": json.dumps(form.left_out),
            "shortened": json.dumps(form.shortened),
            **{column: counts[form.name] for column, counts in readers.items()},
        }
        for form, _ in variants.forms
    ]
    connection.execute(insert(VariantRow), rows)
    documents = [
        {"edition_id": draft.id, "variant": form.name, "rendered": rendered_text(rendered)}
        for form, rendered in variants.forms
        if rendered is not None
    ]
    if documents:
        connection.execute(insert(DocumentRow), documents)


def _counted(placed_groups: Sequence[tuple[Group, Place]]) -> Mapping[str, Counter[str]]:
    """By column of a form's row: how many readers, by form."""
    readers, spared, nearest = Counter[str](), Counter[str](), Counter[str]()
    for group, place in placed_groups:
        if place.variant is not None:
            readers[place.variant] += group.readers
            spared[place.variant] += group.readers * place.spared
            nearest[place.variant] += group.readers * place.nearest
    return {"readers": readers, "spared": spared, "nearest": nearest}


def _insert_deliveries(
    connection: Connection, draft: Draft, crowd: Crowd, rows: Sequence[tuple[Any, ...]], *, now: datetime
) -> int:
    row = DELIVERIES.table.c
    same_for_all = {row.edition_id: draft.id, row.due_at: now, row.queued_at: now, row.attempts: 0, row.fence: 0}
    # Who changed their mind a moment ago is in no group: they are not forgotten, and get the whole edition.
    usual = {"variant": "", "state": DeliveryState.QUEUED.value}
    own = {"variant": String(40), "state": String(24), "because": Text(), "settled_at": UtcDateTime()}
    recipients, places = placed(connection.dialect.name, crowd, **own)
    selected = recipients.add_columns(
        *(func.coalesce(places.c[name], usual[name]) if name in usual else places.c[name] for name in own),
        *(literal(value, column.type) for column, value in same_for_all.items()),
    )
    columns = [row.subscriber_id, row.subscription_id, *(row[name] for name in own), *same_for_all]
    ordered = selected.order_by(SubscriptionRow.subscriber_id)
    statement = insert(DELIVERIES.table).from_select(columns, ordered, include_defaults=False)
    values = crowd.values | {"places": as_given(rows)}
    return connection.execute(statement, values, execution_options={"preserve_rowcount": True}).rowcount
