"""Hubs: where feeds are subscribed, and what was pushed and waits to be read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from newsletter.model.feed import FeedHealth
from newsletter.model.hub import HUB_MOVES, HubSubscription, Push
from newsletter.model.settings import Secret
from newsletter.store.engine import Store
from newsletter.store.healths import healths
from newsletter.store.mapping import storable
from newsletter.store.statements import insert_into
from newsletter.store.tables import FeedRow, HubSubscriptionRow, PushRow

MOST_WAITING = 20
"""So many pushes of one hub for one feed are kept; it sends the rest again later."""


class Hubs:
    """The Hubs port."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def listed(self) -> tuple[HubSubscription, ...]:
        query = select(HubSubscriptionRow.__table__).order_by(HubSubscriptionRow.feed_id, HubSubscriptionRow.hub)
        with self._store.read() as connection:
            return tuple(map(_subscription_from, connection.execute(query)))

    def announcing(self) -> tuple[FeedHealth, ...]:
        query = select(FeedRow.__table__).where(FeedRow.habits.contains('"hub": {')).order_by(FeedRow.id)
        with self._store.read() as connection:
            return tuple(healths(connection, query))

    def at(self, token: Secret) -> HubSubscription | None:
        query = select(HubSubscriptionRow.__table__).where(HubSubscriptionRow.token == storable(token.reveal()))
        with self._store.read() as connection:
            row = connection.execute(query).one_or_none()
        return _subscription_from(row) if row else None

    def add(self, subscription: HubSubscription) -> bool:
        with self._store.write() as connection:
            statement = insert_into(connection, HubSubscriptionRow).values(_values(subscription))
            added = statement.on_conflict_do_nothing().returning(HubSubscriptionRow.feed_id)
            return connection.scalar(added) is not None

    def exchange(self, before: HubSubscription, after: HubSubscription) -> bool:
        HUB_MOVES.check(before.state, after.state)
        values = _values(after)
        # What is pushed meanwhile is noted by another process.
        del values["token"], values["pushed_at"]
        with self._store.write() as connection:
            statement = update(HubSubscriptionRow).where(*_as_it_was(before)).values(values)
            return connection.execute(statement).rowcount == 1

    def blame(self, before: HubSubscription, because: str) -> bool:
        with self._store.write() as connection:
            statement = update(HubSubscriptionRow).where(*_as_it_was(before)).values(because=storable(because))
            return connection.execute(statement).rowcount == 1

    def forget(self, before: HubSubscription) -> bool:
        with self._store.write() as connection:
            return connection.execute(delete(HubSubscriptionRow).where(*_as_it_was(before))).rowcount == 1

    def keep(self, push: Push) -> bool:
        token = push.token.reveal()
        with self._store.write() as connection:
            waiting = select(func.count()).select_from(PushRow).where(PushRow.token == token)
            if (connection.scalar(waiting) or 0) >= MOST_WAITING:
                return False
            row = {
                "token": token,
                "content": push.content,
                "content_type": storable(push.content_type),
                "received_at": push.received_at,
            }
            connection.execute(insert(PushRow).values(row))
            return True

    def waiting(self, *, after: int = 0) -> Push | None:
        query = select(PushRow.__table__).where(PushRow.id > after).order_by(PushRow.id).limit(1)
        with self._store.read() as connection:
            row = connection.execute(query).one_or_none()
        return _push_from(row) if row else None

    def taken(self, push: Push, *, pushed_at: datetime | None, because: str | None = None) -> None:
        values = {"pushed_at": pushed_at, "because": storable(because) if because else None}
        with self._store.write() as connection:
            token = HubSubscriptionRow.token == push.token.reveal()
            connection.execute(update(HubSubscriptionRow).where(token).values(values))
            connection.execute(delete(PushRow).where(PushRow.id == push.id))


def _as_it_was(before: HubSubscription) -> tuple[Any, ...]:
    """The row, if nobody has changed it since it was read."""
    return (
        HubSubscriptionRow.token == before.token.reveal(),
        HubSubscriptionRow.state == before.state,
        HubSubscriptionRow.tries == before.tries,
        HubSubscriptionRow.next_at == before.next_at,
    )


def _subscription_from(row: Row[Any]) -> HubSubscription:
    return HubSubscription(
        token=Secret(row.token),
        feed_id=row.feed_id,
        hub=row.hub,
        topic=row.topic,
        secret=Secret(row.secret),
        state=row.state,
        next_at=row.next_at,
        tries=row.tries,
        leased_until=row.leased_until,
        pushed_at=row.pushed_at,
        because=row.because,
    )


def _values(subscription: HubSubscription) -> dict[str, Any]:
    return {
        "token": subscription.token.reveal(),
        "feed_id": subscription.feed_id,
        "hub": storable(subscription.hub),
        "topic": storable(subscription.topic),
        "secret": subscription.secret.reveal(),
        "state": subscription.state,
        "next_at": subscription.next_at,
        "tries": subscription.tries,
        "leased_until": subscription.leased_until,
        "pushed_at": subscription.pushed_at,
        "because": storable(subscription.because) if subscription.because else None,
    }


def _push_from(row: Row[Any]) -> Push:
    return Push(
        id=row.id,
        token=Secret(row.token),
        content=row.content,
        content_type=row.content_type,
        received_at=row.received_at,
    )
