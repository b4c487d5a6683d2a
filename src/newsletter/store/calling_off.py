"""Calling an edition off: first it is cancelled, so that nothing of it is begun any more, then it is told to everybody.

That is done in slices, as it was written down (see slices): what waits is suppressed, and whoever was not written down
never is. The row that says there is more to do goes when the edition's stories are seen to. What was on its way, and
comes back unsent, is suppressed by whoever gives it back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    Select,
    String,
    Text,
    Update,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
)

from newsletter.model.delivery import DeliveryState
from newsletter.model.edition import Edition, EditionState
from newsletter.store.books import DELIVERIES, NOWHERE, STATE_OF_EDITION, WAITING, leased
from newsletter.store.given import as_given, given
from newsletter.store.slices import drop_slices
from newsletter.store.tables import EditionRow, FreezingRow, IssueRow
from newsletter.store.types import UtcDateTime


def begin_calling_off(connection: Connection, edition_id: str) -> None:
    """Note that recipients of an edition are to be told, whoever does it, and that no more are written down."""
    drop_slices(connection, edition_id)
    nobody = literal(0, BigInteger())
    columns = ["edition_id", "written_to", "last_id", "queued_at", "audience"]
    whole = select(EditionRow.id, nobody, nobody, EditionRow.frozen_at, EditionRow.draft)
    connection.execute(insert(FreezingRow).from_select(columns, whole.where(EditionRow.id == edition_id)))


def call_off_some(connection: Connection, edition: Edition, *, most: int) -> bool:
    """Suppress so many more of a cancelled edition, and all that workers hold; False if nobody is left.

    Senders begin theirs in the order of ids: taken in the same order, nobody waits in a circle. What others lock
    besides is leased at this moment, and waits for the next slice.
    """
    ids = list(connection.scalars(_HELD, {"edition": edition.id}))
    for state in WAITING:
        if len(ids) < most:
            values = {"edition": edition.id, "waiting": state, "most": most - len(ids)}
            ids += connection.scalars(_FREE, values)
    if ids:
        _suppress(connection, ids, because=edition.state_because, at=edition.state_at)
    return _any_left(connection, edition.id) or _comes_back_now(connection, edition.id)


def call_off_returned(connection: Connection, ids: Collection[int]) -> None:
    """Suppress those of cancelled editions among deliveries that are queued or deferred again."""
    asked = {"given": as_given(sorted(ids))}
    returned: defaultdict[tuple[str, datetime], list[int]] = defaultdict(list)
    for id_, because, at in connection.execute(_returned(connection.dialect.name), asked):
        returned[because, at].append(id_)
    for (because, at), of_edition in returned.items():
        _suppress(connection, of_edition, because=because, at=at)


def was_begun(connection: Connection, edition_id: str) -> bool:
    """Whether a delivery of an edition ever was begun; may read all of them."""
    row = DELIVERIES.table.c
    return bool(connection.scalar(select(exists().where(row.edition_id == edition_id, row.begun_at.is_not(None)))))


def end_calling_off(connection: Connection, edition_id: str, *, free: bool) -> None:
    """Note that everybody was told; `free` gives the stories to another edition."""
    if free:
        connection.execute(delete(IssueRow).where(IssueRow.edition_id == edition_id))
    drop_slices(connection, edition_id)


def _any_left(connection: Connection, edition_id: str) -> bool:
    return bool(connection.scalar(_ANY_LEFT, {"edition": edition_id}))


def _comes_back_now(connection: Connection, edition_id: str) -> bool:
    """Whether something of it may be given back by a transaction that has not heard of the decision.

    A later one hears of it. Such a one has the row locked until it ends; then the row is found among what is left.
    """
    on_its_way = {"edition": edition_id}
    free = connection.scalars(_ON_ITS_WAY.with_for_update(read=True, skip_locked=True), on_its_way).all()
    return len(free) < len(connection.scalars(_ON_ITS_WAY, on_its_way).all()) or _any_left(connection, edition_id)


def _suppress(connection: Connection, ids: Sequence[int], *, because: str, at: datetime | None) -> None:
    why = "the edition was cancelled"
    connection.execute(
        _suppressing(connection.dialect.name),
        {"given": as_given(ids), "because": f"{why}: {because}" if because else why, "now": at},
    )


@cache
def _returned(dialect: str) -> Select[Any]:
    row, asked = DELIVERIES.table.c, given(dialect, id=BigInteger())
    of_edition = EditionRow.id == row.edition_id
    why, at = (
        select(each).where(of_edition).scalar_subquery() for each in (EditionRow.state_because, EditionRow.state_at)
    )
    return select(row.id, why, at).where(row.id == asked.c.id, STATE_OF_EDITION == EditionState.CANCELLED)


@cache
def _suppressing(dialect: str) -> Update:
    asked = given(dialect, id=BigInteger())
    values = {"because": bindparam("because", type_=Text()), "settled_at": bindparam("now", type_=UtcDateTime())}
    suppressing = DELIVERIES.moving_by_id(DeliveryState.SUPPRESSED).where(DELIVERIES.table.c.id == asked.c.id)
    return suppressing.values(**values, **NOWHERE)


def _which() -> tuple[Select[int], Select[int], Select[int], Select[bool]]:
    row, edition = DELIVERIES.table.c, bindparam("edition", type_=String())
    # Nothing in it for an index on editions: what is leased is few rows, and what waits of an edition may be a million.
    owned = select(row.id).where(leased(DELIVERIES.table), row.edition_id.concat("") == edition)
    held = owned.where(func.lower(row.state).in_(WAITING))
    # One state at a time, and in the index's order: the statement then ends at the last row it takes (see claims).
    free = select(row.id).where(row.edition_id == edition, row.state == bindparam("waiting"), row.owner.is_(None))
    return (
        held.order_by(row.id + 0).with_for_update(),
        free.order_by(row.due_at).limit(bindparam("most", type_=Integer())).with_for_update(skip_locked=True),
        owned.where(func.lower(row.state) == DeliveryState.SENDING),
        select(exists().where(row.edition_id == edition, row.state.in_(WAITING))),
    )


_HELD, _FREE, _ON_ITS_WAY, _ANY_LEFT = _which()
