"""What the report of an edition says: how many recipients are in which state, and what else is to be known."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from newsletter.model.delivery import DeliveryState
from newsletter.model.variant import NOT_SENT
from newsletter.store.books import DELIVERIES, WAITING
from newsletter.store.placing import NOTHING
from newsletter.store.slices import unwritten
from newsletter.store.tables import VariantRow

_EXPLAINED = (DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.SUPPRESSED)
_MOST_REASONS = 100


def states_of(connection: Connection, edition_id: str) -> dict[DeliveryState, int]:
    """How many recipients are in which state, for those that any is in; who is still to be written down is queued."""
    row = DELIVERIES.table.c
    counted = select(row.state, func.count().label("many")).where(row.edition_id == edition_id)
    many = {each.state: each.many for each in connection.execute(counted.group_by(row.state))}
    if still := unwritten(connection, edition_id):
        many[DeliveryState.QUEUED] = many.get(DeliveryState.QUEUED, 0) + still
    return many


def forms_of(connection: Connection, edition_id: str) -> dict[str, int]:
    """What the report says of an edition's forms: how many, and how many readers something was left out for."""
    of_form = select(VariantRow.left_out, VariantRow.shortened, VariantRow.readers, VariantRow.spared)
    query = of_form.add_columns(VariantRow.nearest).where(VariantRow.edition_id == edition_id)
    rows = connection.execute(query).all()
    row = DELIVERIES.table.c
    empty = select(func.count()).where(row.edition_id == edition_id, row.state == DeliveryState.SUPPRESSED)
    return {
        "variants": sum(each.readers > 0 for each in rows) or 1,
        "left_out": sum(each.spared for each in rows if each.shortened == NOTHING),
        "shortened": sum(each.spared for each in rows if each.shortened != NOTHING),
        "nearest": sum(each.nearest for each in rows),
        "not_sent": connection.scalar(empty.where(row.because.in_(NOT_SENT))) or 0 if rows else 0,
    }


def lines_of(connection: Connection, edition_id: str) -> tuple[tuple[str, int], ...]:
    """How many stand in each line. Only of what waits: the lines have an index of their own."""
    row, many = DELIVERIES.table.c, func.count().label("many")
    in_line = row.waits_for.is_not(None), row.edition_id == edition_id, row.state.in_(WAITING)
    grouped = select(row.waits_for, many).where(*in_line).group_by(row.waits_for)
    lines = [(each.waits_for, each.many) for each in connection.execute(grouped)]
    return tuple(sorted(lines, key=lambda line: (-line[1], line[0])))


def reasons_of(connection: Connection, edition_id: str) -> tuple[tuple[DeliveryState, str, int], ...]:
    row, many = DELIVERIES.table.c, func.count().label("many")
    grouped = (
        select(row.state, row.because, many)
        .where(row.edition_id == edition_id, row.state.in_(_EXPLAINED), row.because.is_not(None))
        .group_by(row.state, row.because)
        .order_by(many.desc())
        .limit(_MOST_REASONS)
    )
    reasons = [(each.state, each.because, each.many) for each in connection.execute(grouped)]
    # Words are put in order here: each database has its own idea of the alphabet.
    return tuple(sorted(reasons, key=lambda reason: (-reason[2], reason[0], reason[1])))
