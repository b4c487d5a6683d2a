"""Many feeds' rows in one transaction: taken for polling, and kept and given back after it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Connection, Executable, and_, case, select, update

from newsletter.model.feed import FeedHealth, FeedState
from newsletter.store.mapping import health_from, health_values
from newsletter.store.ports import Take
from newsletter.store.statements import chunks, insert_for, insert_into
from newsletter.store.tables import FeedRow

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
    asked = [take.feed_id for take in takes]
    rows = connection.execute(
        select(FeedRow.__table__).where(FeedRow.id.in_(asked)).order_by(FeedRow.id).with_for_update()
    ).all()
    mine = [row for row in rows if row.leased_until is None or not now < row.leased_until <= now + _BELIEVED * lease]
    if mine:
        values = {"leased_until": now + lease, "fence": FeedRow.fence + 1}
        connection.execute(update(FeedRow).where(FeedRow.id.in_([row.id for row in mine])).values(values))
    taken.update((row.id, health_from(row, fence=row.fence + 1)) for row in mine)
    return frozenset(row.id for row in rows)


def _added(connection: Connection, takes: Sequence[Take]) -> dict[str, FeedHealth]:
    """Add feeds that were never asked, leased; one that another program added meanwhile is that program's."""
    added = {}
    for take in sorted(takes, key=lambda take: take.feed_id):
        added[take.feed_id] = FeedHealth(feed_id=take.feed_id, url=take.url, state=FeedState.NEW, fence=1)
    by_id = {take.feed_id: take for take in takes}
    values = [
        health_values(health) | {"leased_until": by_id[name].now + by_id[name].lease} for name, health in added.items()
    ]
    statement = insert_into(connection, FeedRow).values(values).on_conflict_do_nothing().returning(FeedRow.id)
    return {feed_id: added[feed_id] for feed_id in connection.scalars(statement)}


def keep_all(connection: Connection, healths: Sequence[FeedHealth]) -> None:
    """Write feeds' rows as they are now known, and give their leases back.

    A feed that somebody else has taken since is theirs to write. One that an operator released since stays released.
    """
    if not healths:
        return
    # In one order everywhere, so that two programs never wait for each other in a circle.
    latest = {health.feed_id: health for health in healths}
    rows = [health_values(latest[feed_id]) | {"leased_until": None} for feed_id in sorted(latest)]
    connection.execute(_keeping(connection.dialect.name), rows)


@cache
def _keeping(dialect: str) -> Executable:
    statement = insert_for(dialect, FeedRow)
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
