"""What follows when one subscription changes: its record, its letters, and what is still on its way."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from newsletter.errors import MoveError, NotFoundError
from newsletter.model.delivery import DeliveryState
from newsletter.model.message import LetterKind
from newsletter.model.subscriber import SUBSCRIPTION_MOVES, SubscriptionState
from newsletter.store.books import DELIVERIES, LETTER_GOES_TO, LETTERS, NOWHERE, Book
from newsletter.store.claims import NOT_NOW
from newsletter.store.consents import Said, change
from newsletter.store.letters import queue_letter
from newsletter.store.personal import still_going_to
from newsletter.store.tables import SubscriptionRow

_LETTERS_ABOUT = {
    (SubscriptionState.PENDING, SubscriptionState.ACTIVE): LetterKind.WELCOME,
    (SubscriptionState.LEFT, SubscriptionState.ACTIVE): LetterKind.WELCOME,
    (SubscriptionState.ACTIVE, SubscriptionState.LEFT): LetterKind.GOODBYE,
    (SubscriptionState.LEFT, SubscriptionState.PENDING): LetterKind.CONFIRMATION,
}


def move_subscription(connection: Connection, subscription_id: int, after: SubscriptionState, *, said: Said) -> bool:
    """Move it with all that follows; False if it is in that state already, MoveError if it cannot get there."""
    row = _locked(connection, subscription_id)
    if row.state is after:
        return False
    SUBSCRIPTION_MOVES.check(row.state, after)
    if row.state is SubscriptionState.SUPPRESSED and after is not SubscriptionState.ERASED:
        # Its other moves are for who lifts the suppression itself (`suppressing.let_go`).
        raise MoveError("subscription", row.state, after)
    change(connection, [row.id], before=row.state, after=after, said=said)
    _call_back(connection, row, after, now=said.now)
    if kind := _LETTERS_ABOUT.get((row.state, after)):
        queue_letter(connection, kind, row.id, key=f"{kind}/{row.id}/{said.now.isoformat()}", now=said.now)
    return True


def _locked(connection: Connection, subscription_id: int) -> Row[Any]:
    query = select(SubscriptionRow.__table__).where(SubscriptionRow.id == subscription_id)
    row = connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError("subscription", str(subscription_id))
    return row


def _call_back(connection: Connection, row: Row[Any], after: SubscriptionState, *, now: datetime) -> None:
    """Suppress what waits to be sent and does not fit the new state: editions, and letters that came too late."""
    of_letters, of_deliveries = LETTERS.table.c, DELIVERIES.table.c
    unfit = [kind for kind, state in LETTER_GOES_TO.items() if state is not after]
    _suppress(
        connection, LETTERS, of_letters.subscription_id == row.id, of_letters.kind.in_(unfit), after=after, now=now
    )
    if after is not SubscriptionState.ACTIVE:
        mine = still_going_to(row.subscriber_id), of_deliveries.subscription_id == row.id
        _suppress(connection, DELIVERIES, *mine, after=after, now=now)


def _suppress(
    connection: Connection, book: Book, *which: ColumnElement[bool], after: SubscriptionState, now: datetime
) -> None:
    statement = book.moving_by_id(DeliveryState.SUPPRESSED).where(*which)
    connection.execute(statement.values(because=NOT_NOW[after], settled_at=now, **NOWHERE))
