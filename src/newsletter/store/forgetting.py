"""Forgetting who was asked to confirm and never did: nothing rests on their rows, so these go.

A confirmation may come at any moment, and locks its subscription. So all rows of somebody are locked here before they
are looked at for good, and who is busy with any of them is let be until the next time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, Select, delete, exists, select

from newsletter.model.message import LetterKind
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.consents import Said
from newsletter.store.leaving import move_subscription
from newsletter.store.nameless import forget_address
from newsletter.store.tables import (
    AddressChangeRow,
    ConsentRow,
    LetterRow,
    SubscriberRow,
    SubscriptionRow,
    TroubleRow,
)

_AT_ONCE = 500


def forget_never_confirmed(connection: Connection, lists: Sequence[str], *, before: datetime, said: Said) -> int:
    """Forget people on these lists all of whose subscriptions wait for confirmation since before then.

    Who was on a list once is off it again instead: of somebody forgotten an import would not know that they left.
    Returns how many, some hundred at most.
    """
    waiting = _waiting(lists, before=before)
    found = connection.execute(waiting.order_by(SubscriberRow.id).limit(_AT_ONCE)).all()
    ours = _locked(connection, [row.id for row in found])
    # They were found before they were locked: asked again, the answer holds.
    people = connection.execute(waiting.where(SubscriberRow.id.in_(ours)).order_by(SubscriberRow.id)).all()
    for person in people:
        _forget(connection, person, said=said)
    return len(people)


def _waiting(lists: Sequence[str], *, before: datetime) -> Select[int, str | None]:
    """(id, address) of people whose every subscription has been pending, and was last asked about, before then."""
    asked_since = exists().where(
        LetterRow.subscription_id == SubscriptionRow.id,
        LetterRow.kind == LetterKind.CONFIRMATION,
        LetterRow.queued_at >= before,
    )
    waits = (SubscriptionRow.state == SubscriptionState.PENDING) & (SubscriptionRow.since_at < before) & ~asked_since
    # By list: that is what has an index.
    on_lists = select(SubscriptionRow.subscriber_id).where(SubscriptionRow.list_id.in_(lists), waits)
    other = select(SubscriptionRow.id).where(SubscriptionRow.subscriber_id == SubscriberRow.id, ~waits).exists()
    # A wish for another address is confirmed in another order of locks; it is over in a week.
    moving = exists().where(AddressChangeRow.subscriber_id == SubscriberRow.id)
    people = select(SubscriberRow.id, SubscriberRow.address).where(SubscriberRow.id.in_(on_lists))
    return people.where(SubscriberRow.erased_at.is_(None), ~other, ~moving)


def _locked(connection: Connection, people: Sequence[int]) -> set[int]:
    """Those of the people of whom every row is ours until the end: who signs up again now waits, as does a link."""
    persons = select(SubscriberRow.id).where(SubscriberRow.id.in_(people)).order_by(SubscriberRow.id)
    ours = set(connection.scalars(persons.with_for_update(skip_locked=True)))
    theirs = select(SubscriptionRow.id, SubscriptionRow.subscriber_id).where(SubscriptionRow.subscriber_id.in_(ours))
    theirs = theirs.order_by(SubscriptionRow.id)
    locked = {row.id for row in connection.execute(theirs.with_for_update(skip_locked=True))}
    return ours - {row.subscriber_id for row in connection.execute(theirs) if row.id not in locked}


def _forget(connection: Connection, person: Row[int, str | None], *, said: Said) -> None:
    query = select(SubscriptionRow.id).where(SubscriptionRow.subscriber_id == person.id).order_by(SubscriptionRow.id)
    ids = connection.scalars(query).all()
    record = ConsentRow.subscription_id.in_(ids)
    if connection.scalar(select(exists().where(record, ConsentRow.after != SubscriptionState.PENDING))):
        for each in ids:
            move_subscription(connection, each, SubscriptionState.LEFT, said=said)
        return
    if person.address is not None:
        forget_address(connection, ids, person.address)
    connection.execute(delete(ConsentRow).where(record))
    connection.execute(delete(LetterRow).where(LetterRow.subscription_id.in_(ids)))
    connection.execute(delete(TroubleRow).where(TroubleRow.subscriber_id == person.id))
    connection.execute(delete(SubscriptionRow).where(SubscriptionRow.id.in_(ids)))
    connection.execute(delete(SubscriberRow).where(SubscriberRow.id == person.id))
