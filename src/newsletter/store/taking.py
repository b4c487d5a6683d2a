"""Many feeds' rows in one transaction: taken for polling, and kept and given back after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    Update,
    and_,
    bindparam,
    case,
    null,
    select,
    update,
)

from newsletter.model.feed import FeedHealth, FeedState
from newsletter.store.given import as_given, as_told, given, instant_from
from newsletter.store.healths import COLUMNS, all_of, health_from, health_row
from newsletter.store.ports import Take
from newsletter.store.statements import chunks, insert_for
from newsletter.store.tables import FeedRow

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

# A lease that runs longer than any we give was written by a clock that was wrong.
_BELIEVED = 2


def take_all(connection: Connection, takes: Sequence[Take]) -> tuple[FeedHealth | None, ...]:
    """Lease every feed that is free, to the first who wants it; unknown ones are added."""
    wanted: dict[str, Take] = {}
    for take in takes:
        wanted.setdefault(take.feed_id, take)
    taken: dict[str, FeedHealth] = {}
    for some in chunks(wanted.values()):
        known = _take_known(connection, some, taken)
        if missing := [take for take in some if take.feed_id not in known]:
            taken |= _added(connection, missing)
    return tuple(taken.pop(take.feed_id, None) for take in takes)


def _take_known(connection: Connection, takes: Sequence[Take], taken: dict[str, FeedHealth]) -> frozenset[str]:
    """Lease those of the feeds that have a row and are free: they are added to `taken`; the ids of all with a row."""
    now, lease = max(take.now for take in takes), max(take.lease for take in takes)
    dialect = connection.dialect.name
    asked = {"given": as_given(take.feed_id for take in takes)}
    rows = {row[0]: row for row in as_told(connection.scalar(_looking(dialect), asked))}
    mine = [row for row in rows.values() if _is_free(row[-1], now=now, lease=lease)]
    if mine:
        values = {"given": as_given(row[0] for row in mine), "until": now + lease}
        connection.execute(_leasing(dialect), values)
    taken.update((row[0], health_from(row, taken=True)) for row in mine)
    return frozenset(rows)


def _is_free(leased_until: str | None, *, now: datetime, lease: timedelta) -> bool:
    return leased_until is None or not now < instant_from(leased_until) <= now + _BELIEVED * lease


@cache
def _looking(dialect: str) -> Select[Any]:
    """The rows of feeds, locked in one order."""
    asked = given(dialect, id=FeedRow.id.type)
    rows = select(FeedRow.__table__).where(FeedRow.id.in_(select(asked.c.id)))
    return all_of(dialect, rows.order_by(FeedRow.id).with_for_update())


@cache
def _leasing(dialect: str) -> Update:
    asked = given(dialect, id=FeedRow.id.type)
    leasing = update(FeedRow).where(FeedRow.id.in_(select(asked.c.id)))
    return leasing.values(leased_until=bindparam("until"), fence=FeedRow.fence + 1)


def _added(connection: Connection, takes: Sequence[Take]) -> dict[str, FeedHealth]:
    """Add feeds that were never asked, leased; one that another program added meanwhile is that program's."""
    added = {}
    for take in sorted(takes, key=lambda take: take.feed_id):
        added[take.feed_id] = FeedHealth(feed_id=take.feed_id, url=take.url, state=FeedState.NEW, fence=1)
    until = max(take.now + take.lease for take in takes)
    values = {"given": as_given(map(health_row, added.values())), "until": until}
    return {feed_id: added[feed_id] for feed_id in connection.scalars(_adding(connection.dialect.name), values)}


@cache
def _adding(dialect: str) -> Executable:
    adding = _inserting(dialect, until=bindparam("until", type_=FeedRow.leased_until.type))
    return adding.on_conflict_do_nothing().returning(FeedRow.id)


def _inserting(dialect: str, *, until: ColumnElement[Any]) -> postgresql.Insert:
    """Feeds' rows that are given (see `health_row`), leased until then, in one order."""
    rows = given(dialect, **{column.name: column.type for column in COLUMNS})
    # SQLite would take ON, without a WHERE before it, for a condition of a join.
    selected = select(*rows.c, until).where(rows.c.id.is_not(None)).order_by(rows.c.id)
    return insert_for(dialect, FeedRow).from_select([*COLUMNS, FeedRow.leased_until], selected)


def keep_all(connection: Connection, healths: Sequence[FeedHealth]) -> None:
    """Write feeds' rows as they are now known, and give their leases back.

    A feed that somebody else has taken since is theirs to write. One that an operator released since stays released.
    """
    if not healths:
        return
    latest = {health.feed_id: health for health in healths}
    connection.execute(_keeping(connection.dialect.name), {"given": as_given(map(health_row, latest.values()))})


@cache
def _keeping(dialect: str) -> Executable:
    statement = _inserting(dialect, until=null())
    new = statement.excluded
    released = and_(FeedRow.state == FeedState.ACTIVE, new.state == FeedState.HELD)
    values = {column.name: new[column.name] for column in FeedRow.__table__.columns} | {
        "state": case((released, FeedRow.state), else_=new.state),
    }
    ours = FeedRow.fence == new.fence
    return statement.on_conflict_do_update(index_elements=["id"], set_=values, where=ours)


def is_lost(connection: Connection, health: FeedHealth) -> bool:
    """Whether somebody else has taken the feed since this health was taken; if not, nobody can until the end."""
    asked = select(FeedRow.fence).where(FeedRow.id == health.feed_id).with_for_update()
    return connection.scalar(asked) not in {None, health.fence}
