"""People who get another address: asked for, confirmed by both addresses, done in one step."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from newsletter.errors import NotFoundError
from newsletter.model.message import LetterKind
from newsletter.model.subscriber import AddressMove, SubscriptionState, SuppressionKind
from newsletter.store.barred import barred
from newsletter.store.consents import Said, put_on_record
from newsletter.store.engine import Store
from newsletter.store.keys import AddressKeys
from newsletter.store.letters import queue_letter
from newsletter.store.mapping import storable
from newsletter.store.nameless import forget_address
from newsletter.store.suppressing import lift
from newsletter.store.tables import AddressChangeRow, LetterRow, SubscriberRow, SubscriptionRow, TroubleRow

_GOOD_FOR = timedelta(days=7)
_SIDES = {LetterKind.MOVE_FROM: "old_confirmed_at", LetterKind.MOVE_TO: "new_confirmed_at"}


class AddressChanges:
    """The AddressChanges port."""

    def __init__(self, store: Store, *, keys: AddressKeys) -> None:
        self._store = store
        self._keys = keys

    def ask(self, subscription_id: int, address: str, *, now: datetime) -> int:
        with self._store.write() as connection:
            whose = select(SubscriptionRow.subscriber_id).where(SubscriptionRow.id == subscription_id)
            # One wish after the other, so that the later finds the earlier.
            subscriber_id = connection.scalar(whose.with_for_update(key_share=True))
            if subscriber_id is None:
                raise NotFoundError("subscription", str(subscription_id))
            forget_changes(connection, AddressChangeRow.subscriber_id == subscriber_id)
            wish = {"subscriber_id": subscriber_id, "address": storable(address), "asked_at": now}
            change_id = connection.scalars(insert(AddressChangeRow).values(wish).returning(AddressChangeRow.id)).one()
            for kind in _SIDES:
                _write_to(connection, kind, subscription_id, change_id, now=now)
        return change_id

    def pending(self, change_id: int, *, now: datetime) -> int | None:
        with self._store.read() as connection:
            row = connection.execute(_change(change_id)).one_or_none()
        return row.subscriber_id if row is not None and _is_open(row, now=now) else None

    def confirm(self, change_id: int, side: LetterKind, *, text: str, token: str, now: datetime) -> AddressMove:
        with self._store.write() as connection:
            row = connection.execute(_change(change_id).with_for_update()).one_or_none()
            if row is None or not _is_open(row, now=now):
                return AddressMove.OVER
            this = update(AddressChangeRow).where(AddressChangeRow.id == change_id)
            connection.execute(this.values({_SIDES[side]: now}))
            others = [getattr(row, column) for kind, column in _SIDES.items() if kind is not side]
            if None in others:
                return AddressMove.WAITS
            said = Said(source="change of address", text=text, token=token, now=now)
            moved = self._move(connection, row, said=said)
            forget_changes(connection, AddressChangeRow.id == change_id)
            return moved

    def _move(self, connection: Connection, row: Row[Any], *, said: Said) -> AddressMove:
        """Give the person their new address; their subscriptions and their record stay theirs."""
        key, hashes = storable(self._keys.key_of(row.address)), self._keys.hashes_of(row.address)
        owner = connection.scalar(select(SubscriberRow.id).where(SubscriberRow.address_key == key))
        if owner not in {None, row.subscriber_id}:
            return AddressMove.TAKEN
        why = barred(connection, {1: row.address}, hashes={1: hashes}).get(1)
        if why is not None and why.kind is not SuppressionKind.ERASED:
            return AddressMove.OVER
        lift(connection, hashes, only=SuppressionKind.ERASED)
        _give(connection, row.subscriber_id, address=row.address, key=key, said=said)
        return AddressMove.DONE


def forget_changes(connection: Connection, *which: Any) -> None:
    """Close wishes and forget the addresses in them; their letters that still wait are then not sent."""
    connection.execute(
        update(AddressChangeRow).where(*which, AddressChangeRow.address.is_not(None)).values(address=None)
    )


def forget_old_changes(connection: Connection, *, now: datetime) -> int:
    """Take away wishes that are over by their time, done or not; returns how many."""
    return connection.execute(delete(AddressChangeRow).where(AddressChangeRow.asked_at < now - _GOOD_FOR)).rowcount


def _give(connection: Connection, subscriber_id: int, *, address: str, key: str, said: Said) -> None:
    of_person = SubscriberRow.id == subscriber_id
    old = connection.scalars(select(SubscriberRow.address).where(of_person)).one()
    connection.execute(update(SubscriberRow).where(of_person).values(address=address, address_key=key))
    # How the mailbox that they leave behaved says nothing of their new one.
    connection.execute(delete(TroubleRow).where(TroubleRow.subscriber_id == subscriber_id))
    for state, ids in _subscriptions(connection, subscriber_id).items():
        put_on_record(connection, ids, before=state, after=state, said=said)
        if old is not None:
            # From now on nobody could find it to erase it.
            forget_address(connection, ids, old)


def wanted_address(connection: Connection, subscriber_id: int) -> str | None:
    """The address of a person's wish, as long as it is kept."""
    wish = AddressChangeRow.subscriber_id == subscriber_id, AddressChangeRow.address.is_not(None)
    latest = select(AddressChangeRow.address).where(*wish).order_by(AddressChangeRow.id.desc())
    return connection.scalars(latest.limit(1)).one_or_none()


def _write_to(connection: Connection, kind: LetterKind, subscription_id: int, change_id: int, *, now: datetime) -> None:
    key = f"{kind}/{change_id}"
    queue_letter(connection, kind, subscription_id, key=key, now=now)
    connection.execute(update(LetterRow).where(LetterRow.key == key).values(change_id=change_id))


def _change(change_id: int) -> Any:
    return select(AddressChangeRow.__table__).where(AddressChangeRow.id == change_id)


def _is_open(row: Row[Any], *, now: datetime) -> bool:
    return bool(row.address is not None and now < row.asked_at + _GOOD_FOR)


def _subscriptions(connection: Connection, subscriber_id: int) -> dict[SubscriptionState, list[int]]:
    found: dict[SubscriptionState, list[int]] = {}
    query = select(SubscriptionRow.id, SubscriptionRow.state).where(SubscriptionRow.subscriber_id == subscriber_id)
    for row in connection.execute(query.order_by(SubscriptionRow.id)):
        found.setdefault(row.state, []).append(row.id)
    return found
