"""The two tables of the ledger, deliveries and letters, and what makes a row of each sendable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, Update, and_, exists, false, or_, update

from newsletter.model.delivery import DELIVERY_MOVES, DeliveryState, LedgerKind
from newsletter.model.edition import EditionState
from newsletter.model.message import LetterKind
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.tables import DeliveryRow, EditionRow, LetterRow, SubscriptionRow

WAITING = (DeliveryState.DEFERRED, DeliveryState.QUEUED)
"""States of rows that wait for a worker, in the order in which they are taken: who waited longest first."""

LETTER_GOES_TO = {
    LetterKind.CONFIRMATION: SubscriptionState.PENDING,
    LetterKind.WELCOME: SubscriptionState.ACTIVE,
    LetterKind.GOODBYE: SubscriptionState.LEFT,
}

NOBODY: dict[str, Any] = {"owner": None, "leased_until": None}


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """One table of the ledger. `sendable` says, inside a statement on the table, that a row may be begun."""

    kind: LedgerKind
    table: Table
    sendable: ColumnElement[bool]

    def moving(self, after: DeliveryState) -> Update:
        """An UPDATE that moves rows to a state from wherever DELIVERY_MOVES allows it. Add which rows."""
        return update(self.table).where(self.table.c.state.in_(DELIVERY_MOVES.before(after))).values(state=after)


_deliveries = cast("Table", DeliveryRow.__table__)
_letters = cast("Table", LetterRow.__table__)

DELIVERIES = Book(
    LedgerKind.EDITION,
    _deliveries,
    and_(
        exists().where(EditionRow.id == _deliveries.c.edition_id, EditionRow.state == EditionState.APPROVED),
        exists().where(
            SubscriptionRow.id == _deliveries.c.subscription_id, SubscriptionRow.state == SubscriptionState.ACTIVE
        ),
    ),
)

LETTERS = Book(
    LedgerKind.LETTER,
    _letters,
    exists().where(
        SubscriptionRow.id == _letters.c.subscription_id,
        or_(
            false(),
            *(and_(_letters.c.kind == kind, SubscriptionRow.state == state) for kind, state in LETTER_GOES_TO.items()),
        ),
    ),
)

BOOKS = {book.kind: book for book in (DELIVERIES, LETTERS)}


def leased(table: Table) -> ColumnElement[bool]:
    """Rows that a worker holds, begun or not. Spelt as the partial index on `owner` is."""
    return table.c.owner.is_not(None)


def lease_over(table: Table, now: datetime) -> ColumnElement[bool]:
    return and_(leased(table), table.c.leased_until < now)
