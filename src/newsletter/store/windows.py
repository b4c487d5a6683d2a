"""What a feed listed last, and what its publisher has taken out of the list since.

An item that is gone from the middle on two polls in a row is retracted; one that is listed again is what it was before.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, select, update

from newsletter.model.item import ITEM_MOVES, ItemState
from newsletter.model.window import still_amid, taken_out
from newsletter.store.statements import chunks, insert_into
from newsletter.store.tables import ItemRow, WindowRow

_LONGEST = 500
"""How much of a list is remembered."""
_NOTHING = "[]"
_WITHDRAWN = "gone from the middle of its feed's list on two polls in a row: withdrawn by its publisher"
_BACK = "in its feed's list again, after it was gone"


def keep_window(connection: Connection, feed_id: str, digests: Sequence[str]) -> int:
    """Compare a feed's list with its last one; returns how many items that retracted.

    `digests` are of the entries in the document's order; none means that nothing can be said about it.
    """
    found = _listed(connection, feed_id, digests)[:_LONGEST]
    listed = [row.id for row in found]
    if not listed:
        connection.execute(delete(WindowRow).where(WindowRow.feed_id == feed_id))
        return 0
    _take_back(connection, [row.id for row in found if row.retracted_from is not None])
    before, missing = _last(connection, feed_id)
    dated = {row.id: row.dated_at for row in found}
    dated |= _dated(connection, {*before, *missing} - dated.keys())
    after = frozenset(listed)
    absent = taken_out([item for item in before if item in dated], after, dated)
    confirmed = [item for item in missing if item in dated and still_amid(item, after, dated)]
    _write(connection, feed_id, listed, [item for item in absent if item not in confirmed])
    return _retract(connection, confirmed)


def feeds_in_doubt(connection: Connection) -> frozenset[str]:
    """Feeds with something missing."""
    return frozenset(connection.scalars(select(WindowRow.feed_id).where(WindowRow.missing != _NOTHING)))


def confirm_window(connection: Connection, feed_id: str) -> int:
    """The same list once more: what was missing from it is retracted."""
    _, missing = _last(connection, feed_id)
    if not missing:
        return 0
    connection.execute(update(WindowRow).where(WindowRow.feed_id == feed_id).values(missing=_NOTHING))
    return _retract(connection, missing)


_LISTED = select(ItemRow.source_digest, ItemRow.id, ItemRow.dated_at, ItemRow.retracted_from).where(
    ItemRow.feed_id == bindparam("feed"), ItemRow.source_digest.in_(bindparam("digests", expanding=True))
)


def _listed(connection: Connection, feed_id: str, digests: Sequence[str]) -> list[Row[Any]]:
    """The items that are listed, each once, in the document's order."""
    found: dict[str, Row[Any]] = {}
    for some in chunks(dict.fromkeys(digests)):
        rows = connection.execute(_LISTED, {"feed": feed_id, "digests": some})
        found.update({row.source_digest: row for row in rows})
    listed = {found[digest].id: found[digest] for digest in digests if digest in found}
    return list(listed.values())


def _last(connection: Connection, feed_id: str) -> tuple[list[int], list[int]]:
    row = connection.execute(select(WindowRow.__table__).where(WindowRow.feed_id == feed_id)).one_or_none()
    return (json.loads(row.item_ids), json.loads(row.missing)) if row else ([], [])


def _dated(connection: Connection, ids: Iterable[int]) -> dict[int, datetime]:
    return {
        row.id: row.dated_at
        for some in chunks(sorted(ids))
        for row in connection.execute(select(ItemRow.id, ItemRow.dated_at).where(ItemRow.id.in_(some)))
    }


def _write(connection: Connection, feed_id: str, listed: Sequence[int], missing: Sequence[int]) -> None:
    values = {"item_ids": json.dumps(list(listed)), "missing": json.dumps(list(missing))}
    statement = insert_into(connection, WindowRow).values(feed_id=feed_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["feed_id"], set_=values))


def _retract(connection: Connection, ids: Collection[int]) -> int:
    values = {"state": ItemState.RETRACTED, "retracted_from": ItemRow.state, "because": _WITHDRAWN}
    movable = ItemRow.state.in_(ITEM_MOVES.before(ItemState.RETRACTED))
    return sum(
        connection.execute(update(ItemRow).where(ItemRow.id.in_(some), movable).values(values)).rowcount
        for some in chunks(sorted(ids))
    )


def _take_back(connection: Connection, listed: Sequence[int]) -> None:
    """Undo what an earlier window retracted. What an editor retracted has no state to go back to."""
    ours = ItemRow.state == ItemState.RETRACTED, ItemRow.retracted_from.is_not(None)
    values = {"state": func.coalesce(ItemRow.retracted_from, ItemRow.state), "retracted_from": None, "because": _BACK}
    for some in chunks(listed):
        connection.execute(update(ItemRow).where(ItemRow.id.in_(some), *ours).values(values))
