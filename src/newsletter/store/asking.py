"""How often an address is asked to confirm, whoever asks for it: once an hour, and a few times a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, Row, func, select

from newsletter.model.message import LetterKind
from newsletter.store.given import as_given, given
from newsletter.store.tables import LetterRow, SubscriptionRow
from newsletter.store.tables.base import aliased

APART = timedelta(hours=1)
_A_DAY = timedelta(days=1)
_MOST_A_DAY = 5

_Row = Row[int, int, int, datetime]


def due_dates(connection: Connection, subscription_ids: Sequence[int], *, now: datetime) -> dict[int, datetime]:
    """When each of these may be asked to confirm: at once, or an hour after their person was asked for another list.

    Who has been asked five times within a day is not asked again, and has no date here: nobody meant it so well.
    """
    due: dict[int, datetime] = {}
    asked: defaultdict[int, list[datetime]] = defaultdict(list)
    for row in _letters(connection, subscription_ids, since=now - _A_DAY):
        history = asked[row.subscriber_id]
        if row.many and not history:
            history += [row.last] * row.many
        if len(history) < _MOST_A_DAY:
            due[row.id] = max([now, *(at + APART for at in history)])
            history.append(due[row.id])
    return due


def _letters(connection: Connection, subscription_ids: Sequence[int], *, since: datetime) -> Sequence[_Row]:
    """Each subscription with its person, and how often and when at last they were asked, for whatever list."""
    if not subscription_ids:
        return ()
    wanted, theirs = given(connection.dialect.name, id=BigInteger()), aliased(SubscriptionRow)
    lately = (
        (LetterRow.subscription_id == theirs.id)
        & (LetterRow.kind == LetterKind.CONFIRMATION)
        & (LetterRow.due_at > since)
    )
    query = (
        select(
            SubscriptionRow.id,
            SubscriptionRow.subscriber_id,
            func.count(LetterRow.id).label("many"),
            func.max(LetterRow.due_at).label("last"),
        )
        .join(wanted, wanted.c.id == SubscriptionRow.id)
        .join(theirs, theirs.subscriber_id == SubscriptionRow.subscriber_id)
        .outerjoin(LetterRow, lately)
        .group_by(SubscriptionRow.id, SubscriptionRow.subscriber_id)
        .order_by(SubscriptionRow.id)
    )
    return connection.execute(query, {"given": as_given(subscription_ids)}).all()
