"""Which items may stand in an edition."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, or_

from newsletter.model.item import ItemState
from newsletter.store.tables import ItemRow
from newsletter.store.tables.base import aliased


def may_be_told() -> ColumnElement[bool]:
    """An item may that is accepted; and one that was no news when it was first read, once its story is told anew.

    A list gets no feed's history, but what a republisher brings is credited to whose it is.
    """
    other = aliased(ItemRow)
    told_anew = exists().where(other.story_id == ItemRow.story_id, other.state == ItemState.ACCEPTED)
    return or_(ItemRow.state == ItemState.ACCEPTED, and_(ItemRow.state == ItemState.KNOWN, told_anew))
