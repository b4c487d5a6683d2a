"""People, their subscriptions and consent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from newsletter.errors import NotFoundError
from newsletter.model.delivery import DeliveryState
from newsletter.model.message import LetterKind
from newsletter.model.segment import Segment
from newsletter.model.subscriber import (
    Consent,
    Newcomer,
    Preferences,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionKind,
)
from newsletter.store.address_changes import forget_old_changes, wanted_address
from newsletter.store.barred import barred
from newsletter.store.consents import Said
from newsletter.store.consequences import trouble_of
from newsletter.store.engine import Store
from newsletter.store.erasing import erase_person
from newsletter.store.forgetting import forget_never_confirmed
from newsletter.store.joining import Terms, add_newcomers
from newsletter.store.keys import AddressKeys
from newsletter.store.leaving import move_subscription
from newsletter.store.mapping import consent_from, storable, subscriber_from, subscription_from
from newsletter.store.nameless import nameless
from newsletter.store.personal import of_person
from newsletter.store.ports import Added, Person
from newsletter.store.preferring import keep_preferences
from newsletter.store.segments import in_segment
from newsletter.store.statements import chunks
from newsletter.store.suppressing import call_off, forget_evidence, let_go, lift, never_again
from newsletter.store.tables import (
    ConsentRow,
    DeliveryRow,
    LetterRow,
    SubscriberRow,
    SubscriptionRow,
    WordingRow,
)

_AT_ONCE = 5000
_PAGE = 1000


class Subscribers:
    """The Subscribers port."""

    def __init__(self, store: Store, *, keys: AddressKeys) -> None:
        self._store = store
        self._keys = keys

    def add(
        self,
        newcomers: Sequence[Newcomer],
        *,
        confirmed: bool,
        source: str,
        text: str,
        now: datetime,
        by_person: bool = False,
        token: str = "",
    ) -> Added:
        said = Said(source=source, text=text, token=token, now=now)
        terms = Terms(confirmed=confirmed, by_person=by_person, said=said)
        # Two imports that take each other's rows in another order would wait for one another; a single sign-up cannot.
        with self._store.write(serial=len(newcomers) > 1) as connection:
            counts = [
                add_newcomers(connection, some, terms=terms, keys=self._keys) for some in chunks(newcomers, _AT_ONCE)
            ]
        return Added(**{field.name: sum(getattr(count, field.name) for count in counts) for field in fields(Added)})

    def person(self, address: str) -> Person:
        with self._store.read() as connection:
            row = self._found(connection, address)
            if row is None:
                raise _unknown(address)
            return Person(
                subscriber=subscriber_from(row),
                subscriptions=_subscriptions(connection, SubscriptionRow.subscriber_id == row.id)[row.id],
                consents=_consents(connection, row.id),
                deliveries=_deliveries(connection, row.id),
                suppression=self._suppressed(connection, address),
                trouble=trouble_of(connection, row.id),
                letters=_letters(connection, row.id),
                wanted_address=wanted_address(connection, row.id),
            )

    def by_address(self, address: str) -> Subscriber | None:
        with self._store.read() as connection:
            row = self._found(connection, address)
        return subscriber_from(row) if row else None

    def exported(
        self, list_id: str | None = None, *, segment: Segment | None = None, now: datetime | None = None
    ) -> Iterator[tuple[Subscriber, tuple[Subscription, ...]]]:
        which = _which(list_id, segment, now=now)
        last = 0
        while True:
            # Each page is its own transaction: whoever reads may take their time.
            with self._store.read() as connection:
                ids = _next_ids(connection, after=last)
                page = _page(connection, ids, which)
            if not ids:
                return
            yield from page
            last = ids[-1]

    def count(self, list_id: str, state: SubscriptionState = SubscriptionState.ACTIVE) -> int:
        query = select(func.count()).where(SubscriptionRow.list_id == list_id, SubscriptionRow.state == state)
        with self._store.read() as connection:
            return connection.scalar(query) or 0

    def in_segment(self, list_id: str | None, segment: Segment | None, *, now: datetime) -> Mapping[str, int]:
        query = (
            select(SubscriptionRow.list_id, func.count().label("many"))
            .join(SubscriberRow, SubscriberRow.id == SubscriptionRow.subscriber_id)
            .where(SubscriptionRow.state == SubscriptionState.ACTIVE, *_which(list_id, segment, now=now))
        )
        with self._store.read() as connection:
            counted = connection.execute(query.group_by(SubscriptionRow.list_id).order_by(SubscriptionRow.list_id))
            return {row.list_id: row.many for row in counted}

    def subscription(self, subscription_id: int) -> Subscription:
        query = select(SubscriptionRow.__table__).where(SubscriptionRow.id == subscription_id)
        with self._store.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFoundError("subscription", str(subscription_id))
        return subscription_from(row)

    def subscriber(self, subscriber_id: int) -> Subscriber:
        query = select(SubscriberRow.__table__).where(SubscriberRow.id == subscriber_id)
        with self._store.read() as connection:
            row = connection.execute(query.where(SubscriberRow.erased_at.is_(None))).one_or_none()
        if row is None:
            raise NotFoundError("subscriber", str(subscriber_id))
        return subscriber_from(row)

    def move(
        self,
        subscription_id: int,
        after: SubscriptionState,
        *,
        source: str,
        text: str,
        now: datetime,
        token: str = "",
    ) -> bool:
        said = Said(source=source, text=text, token=token, now=now)
        with self._store.write() as connection:
            moved = move_subscription(connection, subscription_id, after, said=said)
            if moved and after is SubscriptionState.ACTIVE:
                self._welcome_back(connection, subscription_id)
        return moved

    def prefer(self, subscriber_id: int, preferences: Preferences) -> None:
        with self._store.write() as connection:
            if not keep_preferences(connection, subscriber_id, preferences):
                raise NotFoundError("subscriber", str(subscriber_id))

    def forget_unconfirmed(self, lists: Sequence[str], *, before: datetime, now: datetime) -> int:
        said = Said(source="never confirmed", now=now)
        with self._store.write() as connection:
            wishes = forget_old_changes(connection, now=now)
            people = forget_never_confirmed(connection, lists, before=before, said=said)
        if wishes or people:
            self._store.overwrite_deleted()
        return people

    def _welcome_back(self, connection: Connection, subscription_id: int) -> None:
        """Who was erased and has confirmed since is known again: nothing keeps them from their mail any more."""
        address = connection.scalar(
            select(SubscriberRow.address)
            .join(SubscriptionRow, SubscriptionRow.subscriber_id == SubscriberRow.id)
            .where(SubscriptionRow.id == subscription_id)
        )
        if address is not None:
            lift(connection, self._keys.hashes_of(address), only=SuppressionKind.ERASED)

    def suppress(
        self,
        address: str,
        *,
        reason: str,
        now: datetime,
        kind: SuppressionKind = SuppressionKind.OBJECTION,
    ) -> None:
        said = Said(source="suppression", remark=nameless(reason, address), now=now)
        with self._store.write() as connection:
            never_again(connection, self._keys.hash_of(address), kind=kind, said=said)
            if (row := self._found(connection, address)) is not None:
                call_off(connection, row.id, said=said)

    def lift(self, address: str, *, reason: str, now: datetime) -> Suppression | None:
        said = Said(source="suppression lifted", remark=nameless(reason, address), now=now)
        with self._store.write() as connection:
            lifted = lift(connection, self._keys.hashes_of(address))
            if lifted is not None and (row := self._found(connection, address, lock=True)) is not None:
                let_go(connection, row.id, lifted, said=said)
        return lifted

    def erase(self, address: str, *, source: str, now: datetime) -> bool:
        with self._store.write() as connection:
            row = self._found(connection, address, lock=True)
            if row is None and self._suppressed(connection, address) is None:
                raise _unknown(address)
            hashes = self._keys.hashes_of(address)
            said = Said(source="", remark="erased", now=now)
            never_again(connection, hashes[0], kind=SuppressionKind.ERASED, said=said)
            forget_evidence(connection, hashes)
            if row is not None:
                erase_person(connection, row, said=Said(source=source, now=now))
        # Not only when somebody was found: an earlier try may have been stopped right before this.
        self._store.overwrite_deleted()
        return row is not None

    def suppression(self, address: str) -> Suppression | None:
        with self._store.read() as connection:
            return self._suppressed(connection, address)

    def is_suppressed(self, address: str) -> bool:
        return self.suppression(address) is not None

    def _suppressed(self, connection: Connection, address: str) -> Suppression | None:
        return barred(connection, {address: address}, hashes={address: self._keys.hashes_of(address)}).get(address)

    def _found(self, connection: Connection, address: str, *, lock: bool = False) -> Row[Any] | None:
        """The person whose address this is; where two spellings of a mailbox are two people, who spells it so."""
        keys = [storable(key) for key in self._keys.keys_of(address)]
        query = select(SubscriberRow.__table__).where(SubscriberRow.address_key.in_(keys))
        rows = connection.execute(query.with_for_update() if lock else query).all()
        return max(rows, key=lambda row: keys.index(row.address_key), default=None)


def _unknown(address: str) -> NotFoundError:
    return NotFoundError("subscriber", f"*@{address.rpartition('@')[2]}", hint="this address is not known")


def _next_ids(connection: Connection, *, after: int) -> Sequence[int]:
    query = select(SubscriberRow.id).where(SubscriberRow.id > after).order_by(SubscriberRow.id)
    return connection.scalars(query.limit(_PAGE)).all()


def _which(list_id: str | None, segment: Segment | None, *, now: datetime | None) -> tuple[ColumnElement[bool], ...]:
    """Conditions of a subscription and its subscriber. `now` is needed for a segment."""
    of_list = (SubscriptionRow.list_id == list_id,) if list_id is not None else ()
    return of_list if segment is None or now is None else (*of_list, in_segment(segment, now=now))


def _page(
    connection: Connection, ids: Sequence[int], which: Sequence[ColumnElement[bool]]
) -> list[tuple[Subscriber, tuple[Subscription, ...]]]:
    """Those of the people who have such subscriptions, with these; where any will do all people, with all of theirs.

    Asked for by their ids: any other way a planner may think that reading the whole list for each page is cheaper.
    """
    told = _subscriptions(connection, SubscriptionRow.subscriber_id.in_(ids), *which)
    wanted = [each for each in ids if each in told] if which else ids
    people = select(SubscriberRow.__table__).where(SubscriberRow.id.in_(wanted), SubscriberRow.erased_at.is_(None))
    rows = connection.execute(people.order_by(SubscriberRow.id)).all()
    return [(subscriber_from(row), told[row.id]) for row in rows]


def _subscriptions(connection: Connection, *which: ColumnElement[bool]) -> defaultdict[int, tuple[Subscription, ...]]:
    """Subscriptions by person, each person's by list."""
    found: defaultdict[int, tuple[Subscription, ...]] = defaultdict(tuple)
    query = select(SubscriptionRow.__table__).join(SubscriberRow, SubscriberRow.id == SubscriptionRow.subscriber_id)
    for row in connection.execute(query.where(*which).order_by(SubscriptionRow.list_id)):
        found[row.subscriber_id] += (subscription_from(row),)
    return found


def _consents(connection: Connection, subscriber_id: int) -> tuple[Consent, ...]:
    query = (
        select(ConsentRow.__table__, SubscriptionRow.list_id, WordingRow.text.label("wording_text"))
        .outerjoin(WordingRow, WordingRow.hash == ConsentRow.wording)
        .join(SubscriptionRow, SubscriptionRow.id == ConsentRow.subscription_id)
        .where(SubscriptionRow.subscriber_id == subscriber_id)
        .order_by(ConsentRow.id)
    )
    return tuple(consent_from(row) for row in connection.execute(query))


def _deliveries(connection: Connection, subscriber_id: int) -> tuple[tuple[str, DeliveryState, str], ...]:
    query = select(DeliveryRow.edition_id, DeliveryRow.state, DeliveryRow.because).where(of_person(subscriber_id))
    rows = connection.execute(query.order_by(DeliveryRow.id.desc()))
    return tuple((row.edition_id, row.state, row.because or "") for row in rows)


def _letters(connection: Connection, subscriber_id: int) -> tuple[tuple[LetterKind, DeliveryState, datetime], ...]:
    query = (
        select(LetterRow.kind, LetterRow.state, LetterRow.queued_at)
        .join(SubscriptionRow, SubscriptionRow.id == LetterRow.subscription_id)
        .where(SubscriptionRow.subscriber_id == subscriber_id)
    )
    rows = connection.execute(query.order_by(LetterRow.id.desc()))
    return tuple((row.kind, row.state, row.queued_at) for row in rows)
