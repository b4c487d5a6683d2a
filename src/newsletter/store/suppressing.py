"""Never mailing an address again: a keyed hash that outlives the person, and what follows for their subscriptions."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from newsletter.model.subscriber import SUBSCRIPTION_MOVES, SubscriptionState
from newsletter.store.consents import Said
from newsletter.store.leaving import move_subscription
from newsletter.store.mapping import storable
from newsletter.store.ports import Suppression
from newsletter.store.statements import insert_into
from newsletter.store.tables import SubscriptionRow, SuppressionRow


def never_again(connection: Connection, address_hash: str, *, said: Said, evidence: str | None = None) -> None:
    """Put an address on record; the first reason stays."""
    never = insert_into(connection, SuppressionRow).on_conflict_do_nothing()
    values = {"address_hash": address_hash, "reason": storable(said.text), "at": said.now, "evidence": evidence}
    connection.execute(never, values)


def call_off(connection: Connection, subscriber_id: int, *, said: Said) -> None:
    """Suppress a person's subscriptions, and with them all that waits to be sent to them."""
    for subscription_id in _suppressible(connection, subscriber_id):
        move_subscription(connection, subscription_id, SubscriptionState.SUPPRESSED, said=said)


def suppression_of(connection: Connection, address_hash: str) -> Suppression | None:
    """Why an address is suppressed, if it is."""
    columns = SuppressionRow.reason, SuppressionRow.evidence, SuppressionRow.at
    row = connection.execute(select(*columns).where(SuppressionRow.address_hash == address_hash)).one_or_none()
    return None if row is None else Suppression(reason=row.reason, evidence=row.evidence, at=row.at)


def forget_evidence(connection: Connection, address_hash: str) -> None:
    """Keep that an address is suppressed and why, and nothing of what a server said about it."""
    connection.execute(update(SuppressionRow).where(SuppressionRow.address_hash == address_hash).values(evidence=None))


def _suppressible(connection: Connection, subscriber_id: int) -> Sequence[int]:
    before = SUBSCRIPTION_MOVES.before(SubscriptionState.SUPPRESSED)
    query = select(SubscriptionRow.id).where(SubscriptionRow.subscriber_id == subscriber_id)
    return connection.scalars(query.where(SubscriptionRow.state.in_(before)).order_by(SubscriptionRow.id)).all()
