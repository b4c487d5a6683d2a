"""What follows when one subscription changes: its record, its letters, and what is still on its way."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Update, bindparam, select

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

# These statements are made once: to make one takes longer than to run it, and who leaves holds up other writers.
_LOCKING = select(SubscriptionRow.__table__).where(SubscriptionRow.id == bindparam("subscription")).with_for_update()


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
    row = connection.execute(_LOCKING, {"subscription": subscription_id}).one_or_none()
    if row is None:
        raise NotFoundError("subscription", str(subscription_id))
    return row


def _call_back(connection: Connection, row: Row[Any], after: SubscriptionState, *, now: datetime) -> None:
    """Suppress what waits to be sent and does not fit the new state: editions, and letters that came too late."""
    mine = {"subscription": row.id, "now": now}
    connection.execute(_suppressing_letters(after), mine)
    if after is not SubscriptionState.ACTIVE:
        connection.execute(_suppressing_deliveries(after), mine | {"subscriber": row.subscriber_id})


@cache
def _suppressing_letters(after: SubscriptionState) -> Update:
    unfit = [kind for kind, state in LETTER_GOES_TO.items() if state is not after]
    letters = LETTERS.table.c
    return _suppressing(LETTERS, after).where(
        letters.subscription_id == bindparam("subscription"), letters.kind.in_(unfit)
    )


@cache
def _suppressing_deliveries(after: SubscriptionState) -> Update:
    mine = DELIVERIES.table.c.subscription_id == bindparam("subscription")
    return _suppressing(DELIVERIES, after).where(still_going_to(bindparam("subscriber")), mine)


def _suppressing(book: Book, after: SubscriptionState) -> Update:
    statement = book.moving_by_id(DeliveryState.SUPPRESSED)
    return statement.values(because=NOT_NOW[after], settled_at=bindparam("now"), **NOWHERE)
