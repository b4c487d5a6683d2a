"""An edition's recipients, written down in slices: the first with the edition itself, the others by whoever works.

Subscribers come in the order of their ids. A row says how far an edition has come and who is its last; it goes with
the last slice. So nobody is written down twice, whoever dies, and whoever joins meanwhile is not in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    Text,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.types import TypeEngine

from newsletter.model.delivery import DeliveryState
from newsletter.model.edition import Draft
from newsletter.store.books import DELIVERIES
from newsletter.store.frozen import draft_from, draft_text
from newsletter.store.placing import Places
from newsletter.store.readership import Span, crowd_like, joined_by
from newsletter.store.recipients import recipients_of
from newsletter.store.tables import FreezingRow, SubscriberRow, SubscriptionRow
from newsletter.store.types import UtcDateTime

_OWN: dict[str, TypeEngine[Any]] = {
    "variant": String(40),
    "state": String(24),
    "because": Text(),
    "settled_at": UtcDateTime(),
}
_USUAL: Mapping[str, str | None] = {
    "variant": "",
    "state": DeliveryState.QUEUED.value,
    "because": None,
    "settled_at": None,
}


def begin_slices(connection: Connection, draft: Draft, places: Places | None, *, now: datetime, first: int) -> None:
    """Write down the first so many recipients; what is to be known of the others is kept if there are any."""
    last = connection.scalar(select(func.max(SubscriberRow.id))) or 0
    written = _write(connection, draft, places, Span(after=0, upto=last), most=first, now=now)
    if written is None:
        return
    connection.execute(
        insert(FreezingRow).values(
            edition_id=draft.id,
            written_to=written,
            last_id=last,
            queued_at=now,
            audience=draft_text(replace(draft, parts=())),
            places=json.dumps(asdict(places)) if places else None,
        )
    )


def next_slice(connection: Connection, edition_id: str, *, most: int) -> bool:
    """Write down so many more of an edition that is locked; False if it had all."""
    row = _kept(connection, edition_id)
    if row is None:
        return False
    span = Span(after=row.written_to, upto=row.last_id)
    written = _write(connection, draft_from(row.audience), _places_of(row), span, most=most, now=row.queued_at)
    if written is None:
        drop_slices(connection, edition_id)
    else:
        ours = FreezingRow.edition_id == edition_id
        connection.execute(update(FreezingRow).where(ours).values(written_to=written))
    return True


def drop_slices(connection: Connection, edition_id: str) -> None:
    """Write down nobody else of an edition."""
    connection.execute(delete(FreezingRow).where(FreezingRow.edition_id == edition_id))


def unwritten(connection: Connection, edition_id: str) -> int:
    """How many recipients of an edition are still to be written down, as things are; reads as many."""
    row = _kept(connection, edition_id)
    if row is None or row.written_to >= row.last_id:
        return 0
    of_rest = Span(after=row.written_to, upto=row.last_id).has(SubscriptionRow.subscriber_id)
    rest = recipients_of(draft_from(row.audience)).where(of_rest).subquery()
    return connection.scalar(select(func.count()).select_from(rest)) or 0


def is_unwritten(edition_id: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Whether recipients of an edition are still to be written down, or to be suppressed if it was called off."""
    return exists().where(FreezingRow.edition_id == edition_id)


def _kept(connection: Connection, edition_id: str) -> Row[Any] | None:
    query = select(FreezingRow.__table__).where(FreezingRow.edition_id == edition_id)
    return connection.execute(query).one_or_none()


def _places_of(row: Row[Any]) -> Places | None:
    if row.places is None:
        return None
    kept = json.loads(row.places)
    return Places(**kept | {"names": tuple(kept["names"])})


def _write(
    connection: Connection, draft: Draft, places: Places | None, span: Span, *, most: int, now: datetime
) -> int | None:
    """A delivery for each of the first so many of a span; the id of the last one, None if those were all."""
    subscriber_id = SubscriptionRow.subscriber_id
    there = recipients_of(draft).where(span.has(subscriber_id)).with_only_columns(subscriber_id)
    end = connection.scalar(there.order_by(subscriber_id).offset(most - 1).limit(1))
    part = replace(span, upto=span.upto if end is None else end)
    recipients, own, values = _in_forms(connection, draft, places, part)
    row = DELIVERIES.table.c
    same_for_all = {row.edition_id: draft.id, row.due_at: now, row.queued_at: now, row.attempts: 0, row.fence: 0}
    same = (literal(value, column.type) for column, value in same_for_all.items())
    columns = [row.subscriber_id, row.subscription_id, *(row[name] for name in own), *same_for_all]
    selected = recipients.add_columns(*own.values(), *same).order_by(subscriber_id)
    connection.execute(insert(DELIVERIES.table).from_select(columns, selected, include_defaults=False), values)
    return end


def _in_forms(
    connection: Connection, draft: Draft, places: Places | None, span: Span
) -> tuple[Select[int, int], dict[str, ColumnElement[Any]], dict[str, str]]:
    """The recipients of a span, beside each what is their own in a delivery, and what to run that with."""
    if places is None:
        usual: dict[str, ColumnElement[Any]] = {
            name: literal(_USUAL[name], _OWN[name]) for name in ("variant", "state")
        }
        return recipients_of(draft).where(span.has(SubscriptionRow.subscriber_id)), usual, {}
    crowd = crowd_like(connection, draft, places.names, pairs=places.pairs, span=span)
    dialect = connection.dialect.name
    query, by_key = joined_by(dialect, crowd, "by_key", tuple(crowd.columns), **_OWN)
    values = crowd.values | {"by_key": places.by_key}
    known = [by_key]
    if "seen" in crowd.columns:
        # Who changed their mind a moment ago is in no group. They are not forgotten, nor told what they had.
        crowd = replace(crowd, query=query)
        query, by_seen = joined_by(dialect, crowd, "by_seen", ("seen",), **_OWN)
        values |= {"by_seen": places.by_seen}
        known.append(by_seen)
    return query, {name: _first_known(known, name) for name in _OWN}, values


def _first_known(known: list[CTE], name: str) -> ColumnElement[Any]:
    """What the first of them says that has a row at all."""
    usual = literal(_USUAL[name], _OWN[name])
    return case(*((each.c.state.is_not(None), each.c[name]) for each in known), else_=usual)
