"""The two tables of the ledger, deliveries and letters, and what makes a row of each sendable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, ScalarSelect, Table, Update, and_, func, or_, select, update

from newsletter.model.delivery import DELIVERY_MOVES, DeliveryState, LedgerKind
from newsletter.model.edition import EditionState
from newsletter.model.message import MOVING, LetterKind
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.tables import AddressChangeRow, DeliveryRow, EditionRow, LetterRow, SubscriptionRow

WAITING = (DeliveryState.DEFERRED, DeliveryState.QUEUED)
"""States of rows that wait for a worker, in the order in which they are taken: who waited longest first."""

LETTER_GOES_TO = {
    LetterKind.CONFIRMATION: SubscriptionState.PENDING,
    LetterKind.WELCOME: SubscriptionState.ACTIVE,
    LetterKind.GOODBYE: SubscriptionState.LEFT,
}

NOBODY: dict[str, Any] = {"owner": None, "leased_until": None}
NOWHERE: dict[str, Any] = {**NOBODY, "waits_for": None}
"""Neither with a worker nor in the line for a provider."""


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """One table of the ledger. `sendable` says, inside a statement on the table, that a row may be begun."""

    kind: LedgerKind
    table: Table
    sendable: ColumnElement[bool]

    def moving(self, after: DeliveryState) -> Update:
        """An UPDATE that moves rows to a state from wherever DELIVERY_MOVES allows it. Add which rows."""
        return self._moving(self.table.c.state, after)

    def moving_by_id(self, after: DeliveryState) -> Update:
        """The same for rows that will be named by their ids, or by edition and person.

        PostgreSQL knows nothing yet of an edition frozen a minute ago, and would rather read all that is queued than
        look them up; lower() changes no state and keeps it from trying.
        """
        return self._moving(func.lower(self.table.c.state), after)

    def _moving(self, state: ColumnElement[Any], after: DeliveryState) -> Update:
        return update(self.table).where(state.in_(DELIVERY_MOVES.before(after))).values(state=after)


def _state_of_subscription(subscription_id: ColumnElement[int]) -> ScalarSelect[SubscriptionState]:
    return select(SubscriptionRow.state).where(SubscriptionRow.id == subscription_id).scalar_subquery()


_deliveries = cast("Table", DeliveryRow.__table__)
_letters = cast("Table", LetterRow.__table__)
STATE_OF_EDITION = select(EditionRow.state).where(EditionRow.id == _deliveries.c.edition_id).scalar_subquery()
"""Of a delivery, inside a statement on the table."""

_wanted_address = select(AddressChangeRow.address).where(AddressChangeRow.id == _letters.c.change_id).scalar_subquery()

# Subqueries for a value, not EXISTS: that would invite PostgreSQL to start from the editions (see moving_by_id).
DELIVERIES = Book(
    LedgerKind.EDITION,
    _deliveries,
    and_(
        STATE_OF_EDITION == EditionState.APPROVED,
        _state_of_subscription(_deliveries.c.subscription_id) == SubscriptionState.ACTIVE,
    ),
)

LETTERS = Book(
    LedgerKind.LETTER,
    _letters,
    or_(
        *(
            and_(_letters.c.kind == kind, _state_of_subscription(_letters.c.subscription_id) == state)
            for kind, state in LETTER_GOES_TO.items()
        ),
        and_(_letters.c.kind.in_(MOVING), _wanted_address.is_not(None)),
    ),
)

BOOKS = {book.kind: book for book in (DELIVERIES, LETTERS)}


def leased(table: Table) -> ColumnElement[bool]:
    """Rows that a worker holds, begun or not. Spelt as the partial index on `owner` is."""
    return table.c.owner.is_not(None)
