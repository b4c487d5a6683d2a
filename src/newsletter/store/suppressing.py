"""Never mailing an address again: a keyed hash that outlives the person, and what follows for their subscriptions."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select, update

from newsletter.model.subscriber import SUBSCRIPTION_MOVES, SubscriptionState, Suppression, SuppressionKind
from newsletter.store.barred import suppression_from
from newsletter.store.consents import Said, change
from newsletter.store.leaving import move_subscription
from newsletter.store.mapping import storable
from newsletter.store.statements import insert_into
from newsletter.store.tables import ConsentRow, SubscriptionRow, SuppressionRow
from newsletter.store.tables.base import aliased


def never_again(
    connection: Connection, address_hash: str, *, kind: SuppressionKind, said: Said, evidence: str | None = None
) -> None:
    """Put an address on record; the first reason stays, unless it was an erasure alone."""
    row = {"kind": kind, "reason": storable(said.remark), "at": said.now, "evidence": evidence}
    add = insert_into(connection, SuppressionRow).values(address_hash=address_hash, **row)
    stronger = add.on_conflict_do_update(
        index_elements=["address_hash"],
        set_={name: add.excluded[name] for name in row},
        where=(SuppressionRow.kind == SuppressionKind.ERASED) & (add.excluded.kind != SuppressionKind.ERASED),
    )
    connection.execute(stronger)


def call_off(connection: Connection, subscriber_id: int, *, said: Said) -> None:
    """Suppress a person's subscriptions, and with them all that waits to be sent to them."""
    for subscription_id in _suppressible(connection, subscriber_id):
        move_subscription(connection, subscription_id, SubscriptionState.SUPPRESSED, said=said)


def forget_evidence(connection: Connection, hashes: Sequence[str]) -> None:
    """Keep that an address is suppressed and why, and nothing of what a server said about it."""
    connection.execute(update(SuppressionRow).where(SuppressionRow.address_hash.in_(hashes)).values(evidence=None))


def lift(connection: Connection, hashes: Sequence[str], *, only: SuppressionKind | None = None) -> Suppression | None:
    """Take an address off the list; what had kept it there, or None. `only` spares every other kind."""
    gone = delete(SuppressionRow).where(SuppressionRow.address_hash.in_(hashes))
    if only is not None:
        gone = gone.where(SuppressionRow.kind == only)
    rows = connection.execute(gone.returning(*SuppressionRow.__table__.c)).all()
    return suppression_from(rows[0]) if rows else None


def let_go(connection: Connection, subscriber_id: int, lifted: Suppression, *, said: Said) -> None:
    """Where a person's suppressed subscriptions go: see the port's `lift`."""
    before = _stopped(connection, subscriber_id)
    again = lifted.kind is SuppressionKind.BOUNCE
    active = [each for each, state in before.items() if again and state is SubscriptionState.ACTIVE]
    others = before.keys() - set(active)
    suppressed = SubscriptionState.SUPPRESSED
    change(connection, active, before=suppressed, after=SubscriptionState.ACTIVE, said=said)
    change(connection, others, before=suppressed, after=SubscriptionState.LEFT, said=said)


def _stopped(connection: Connection, subscriber_id: int) -> dict[int, SubscriptionState | None]:
    """The person's suppressed subscriptions, each with the state it was in before."""
    any_of_them = aliased(ConsentRow)
    latest = (
        select(func.max(any_of_them.id))
        .where(any_of_them.subscription_id == SubscriptionRow.id, any_of_them.after == SubscriptionState.SUPPRESSED)
        .scalar_subquery()
    )
    query = (
        select(SubscriptionRow.id, ConsentRow.before)
        .select_from(SubscriptionRow)
        .outerjoin(ConsentRow, ConsentRow.id == latest)
        .where(SubscriptionRow.subscriber_id == subscriber_id, SubscriptionRow.state == SubscriptionState.SUPPRESSED)
    )
    return {row.id: row.before for row in connection.execute(query)}


def _suppressible(connection: Connection, subscriber_id: int) -> Sequence[int]:
    before = SUBSCRIPTION_MOVES.before(SubscriptionState.SUPPRESSED)
    query = select(SubscriptionRow.id).where(SubscriptionRow.subscriber_id == subscriber_id)
    return connection.scalars(query.where(SubscriptionRow.state.in_(before)).order_by(SubscriptionRow.id)).all()
