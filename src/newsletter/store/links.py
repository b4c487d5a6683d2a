"""Items' links: which to look at, and what follows from what was seen there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, exists, or_, select, update

from newsletter.model.item import ITEM_MOVES, ItemState
from newsletter.model.link import ItemLink, LinkVerdict
from newsletter.store.engine import Store
from newsletter.store.statements import insert_into
from newsletter.store.tables import IssueRow, ItemRow, LinkRow

RECENT = timedelta(days=7)
"""Items that are older than this wait for no edition."""
APART = timedelta(hours=6)
"""Between two looks at a link."""
DOUBTED_FOR = timedelta(hours=1)
"""A page that was gone is looked at again after this, and believed to be gone then."""
_TAKEN_DOWN = "its page is gone (404 or 410), seen twice: taken down by its publisher"
_BACK = "its page is there again, after it was gone"


class Links:
    """The Links port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def due(self, *, now: datetime, limit: int) -> tuple[ItemLink, ...]:
        issued = exists().where(IssueRow.story_id == ItemRow.story_id)
        waits = (ItemRow.state == ItemState.ACCEPTED) & ~issued
        # What was retracted for its link is what it was when the page comes back.
        taken_down = (ItemRow.state == ItemState.RETRACTED) & LinkRow.retracted_from.is_not(None)
        rested = or_(
            LinkRow.asked_at.is_(None),
            LinkRow.asked_at <= now - APART,
            LinkRow.gone_at.is_not(None) & (LinkRow.asked_at <= now - DOUBTED_FOR),
        )
        query = (
            select(ItemRow.id, ItemRow.feed_id, ItemRow.url)
            .outerjoin(LinkRow, LinkRow.item_id == ItemRow.id)
            .where(ItemRow.dated_at > now - RECENT, ItemRow.url.startswith("http"))
            .where(or_(waits, taken_down), rested)
            .order_by(LinkRow.asked_at.nulls_first(), ItemRow.id)
            .limit(limit)
        )
        with self._store.read() as connection:
            rows = connection.execute(query)
            return tuple(ItemLink(item_id=row.id, feed_id=row.feed_id, url=row.url) for row in rows)

    def note(self, link: ItemLink, verdict: LinkVerdict, *, now: datetime) -> bool:
        with self._store.write() as connection:
            seen = _seen(connection, link)
            after, changed = _judged(connection, link, seen, verdict, now=now)
            values = {"asked_at": now, "gone_at": after.gone_at, "retracted_from": after.retracted_from}
            statement = insert_into(connection, LinkRow).values(item_id=link.item_id, **values)
            connection.execute(statement.on_conflict_do_update(index_elements=["item_id"], set_=values))
        return changed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """Since when a page is gone, and what its item was before it was retracted for that."""

    gone_at: datetime | None = None
    retracted_from: ItemState | None = None


def _seen(connection: Connection, link: ItemLink) -> _Seen:
    row = connection.execute(select(LinkRow.__table__).where(LinkRow.item_id == link.item_id)).one_or_none()
    return _Seen(gone_at=row.gone_at, retracted_from=row.retracted_from) if row else _Seen()


def _judged(
    connection: Connection, link: ItemLink, seen: _Seen, verdict: LinkVerdict, *, now: datetime
) -> tuple[_Seen, bool]:
    """What is known after a look, and whether the item was moved for it."""
    if verdict is LinkVerdict.UNKNOWN:
        return seen, False
    if verdict is LinkVerdict.THERE:
        was = seen.retracted_from
        return _Seen(), was is not None and _move(connection, link, was, because=_BACK)
    if seen.gone_at is None:
        return _Seen(gone_at=now), False
    if seen.retracted_from is not None or now - seen.gone_at < DOUBTED_FOR:
        return seen, False
    before = _state(connection, link)
    moved = _move(connection, link, ItemState.RETRACTED, because=_TAKEN_DOWN)
    return replace(seen, retracted_from=before if moved else None), moved


def _state(connection: Connection, link: ItemLink) -> ItemState | None:
    return connection.scalar(select(ItemRow.state).where(ItemRow.id == link.item_id).with_for_update())


def _move(connection: Connection, link: ItemLink, after: ItemState, *, because: str) -> bool:
    """Move an item where its moves allow it. No list of its feed takes that back, only its page (or an editor)."""
    movable = ItemRow.id == link.item_id, ItemRow.state.in_(ITEM_MOVES.before(after))
    values = {"state": after, "because": because, "retracted_from": None}
    return connection.execute(update(ItemRow).where(*movable).values(values)).rowcount == 1
