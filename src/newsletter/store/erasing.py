"""Forgetting a person: their rows stay, since accounts rest on them, and say nothing of whom they were about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from newsletter.model.subscriber import Preferences, SubscriptionState, Taste
from newsletter.store.address_changes import forget_changes
from newsletter.store.books import DELIVERIES, LETTERS
from newsletter.store.consents import Said
from newsletter.store.leaving import move_subscription
from newsletter.store.mapping import NO_FIELDS
from newsletter.store.nameless import forget_address
from newsletter.store.personal import of_person
from newsletter.store.preferring import keep_preferences
from newsletter.store.tables import AddressChangeRow, SubscriberRow, SubscriptionRow, TroubleRow


def erase_person(connection: Connection, person: Row[Any], *, said: Said) -> None:
    """Call back what waits for the person, close their subscriptions, and empty every column that is about them."""
    subscriptions = connection.execute(
        select(SubscriptionRow.id, SubscriptionRow.list_id)
        .where(SubscriptionRow.subscriber_id == person.id)
        .order_by(SubscriptionRow.id)
    ).all()
    for each in subscriptions:
        move_subscription(connection, each.id, SubscriptionState.ERASED, said=said)
    ids = [each.id for each in subscriptions]
    forget_changes(connection, AddressChangeRow.subscriber_id == person.id)
    _forget_replies(connection, person.id, ids)
    forget_address(connection, ids, person.address)
    keep_preferences(connection, person.id, Preferences(tastes={each.list_id: Taste() for each in subscriptions}))
    connection.execute(delete(TroubleRow).where(TroubleRow.subscriber_id == person.id))
    _forget_row(connection, person.id, now=said.now)


def _forget_row(connection: Connection, person_id: int, *, now: datetime) -> None:
    nobody = {"address": None, "address_key": None, "name": "", "language": None, "fields": NO_FIELDS}
    connection.execute(update(SubscriberRow).where(SubscriberRow.id == person_id).values(**nobody, erased_at=now))


def _forget_replies(connection: Connection, person_id: int, subscription_ids: list[int]) -> None:
    """What servers said may name the mailbox or who it belongs to; what we made of it does not, and counts on."""
    letters = LETTERS.table.c
    replies = (
        (DELIVERIES.table, of_person(person_id)),
        (LETTERS.table, letters.subscription_id.in_(subscription_ids)),
    )
    for table, which in replies:
        connection.execute(update(table).where(which, table.c.reply.is_not(None)).values(reply=None))
