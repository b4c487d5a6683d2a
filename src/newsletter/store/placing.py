"""Which form of an edition each of its readers gets, and the account of its forms."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from newsletter.model.delivery import DeliveryState
from newsletter.model.edition import Draft
from newsletter.model.variant import Group, Place, Variants
from newsletter.store.frozen import rendered_text
from newsletter.store.given import as_given
from newsletter.store.readership import Crowd, readership_of
from newsletter.store.tables import DocumentRow, VariantRow

NOTHING = "[]"
"""No stories, as the columns of a form have it."""

_Placed = Sequence[tuple[Group, Place]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What becomes of each group, as the statements want it that write their deliveries (see `as_given`).

    A row of `by_key` begins with what the group's readers have in the columns called `names`, one of `by_seen` with
    what they had before alone, for who has another preference by now. Then: variant, state, because, settled at.
    `pairs` is what the crowd's own statement is to be run with.
    """

    names: tuple[str, ...]
    pairs: str
    by_key: str
    by_seen: str


def places_of(connection: Connection, crowd: Crowd, variants: Variants, *, now: datetime) -> tuple[Places, _Placed]:
    """Where everybody in the crowd belongs; reads all of it."""
    readership, keys = readership_of(connection, crowd)
    placed = [(group, variants.place(group)) for group in readership.groups]
    names = tuple(crowd.columns)
    by_key = [(*key, *_delivery(place, now=now)) for key, (_, place) in zip(keys, placed, strict=True)]
    by_seen: dict[int, tuple[Any, ...]] = {}
    if "seen" in names:
        # Of several groups that had the same, the largest speaks.
        order = sorted(range(len(keys)), key=lambda at: placed[at][0].readers)
        at_seen = names.index("seen")
        by_seen = {keys[at][at_seen]: _delivery(placed[at][1], now=now) for at in order}
    seen = [(bits, *delivery) for bits, delivery in by_seen.items()]
    pairs = crowd.values.get("pairs", NOTHING)
    return Places(names=names, pairs=pairs, by_key=as_given(by_key), by_seen=as_given(seen)), placed


def _delivery(place: Place, *, now: datetime) -> tuple[Any, ...]:
    """(variant, state, because, settled at)."""
    if place.variant is None:
        return "", DeliveryState.SUPPRESSED, place.because, now
    return place.variant, DeliveryState.QUEUED, None, None


def insert_forms(connection: Connection, draft: Draft, variants: Variants, placed: _Placed) -> None:
    """The forms, how many readers each is for, and documents of their own."""
    readers = _counted(placed)
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


def _counted(placed: _Placed) -> Mapping[str, Counter[str]]:
    """By column of a form's row: how many readers, by form."""
    readers, spared, nearest = Counter[str](), Counter[str](), Counter[str]()
    for group, place in placed:
        if place.variant is not None:
            readers[place.variant] += group.readers
            spared[place.variant] += group.readers * place.spared
            nearest[place.variant] += group.readers * place.nearest
    return {"readers": readers, "spared": spared, "nearest": nearest}
