"""Leasing due rows of the ledger to a worker, and turning away who must not be mailed any more.

A lease moves a row's `due_at` to its end, so that the index on what is due leaves leased rows out and finds them again
when the lease has run out. Who gives a lease back sets `due_at` to `queued_at`: the row was due.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    Row,
    Select,
    String,
    Text,
    bindparam,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate, Update

from newsletter.model.delivery import Claimed, DeliveryState, LedgerKind
from newsletter.model.edition import EditionState
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.books import BOOKS, LETTER_GOES_TO, NOBODY, WAITING
from newsletter.store.given import as_given, given
from newsletter.store.mapping import fields_from
from newsletter.store.outcomes import told
from newsletter.store.tables import EditionRow, SubscriberRow, SubscriptionRow, SuppressionRow
from newsletter.store.types import UtcDateTime

HashOf = Callable[[str], str]
"""The keyed hash under which an address is suppressed."""

NOT_NOW = {
    SubscriptionState.PENDING: "the subscription is not confirmed",
    SubscriptionState.ACTIVE: "the subscription is confirmed already",
    SubscriptionState.LEFT: "left the list",
    SubscriptionState.SUPPRESSED: "the address is suppressed",
    SubscriptionState.ERASED: "the person was erased",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who takes rows, when, and until when they are theirs."""

    owner: str
    now: datetime
    until: datetime


def claim(
    connection: Connection, lease: Lease, *, limit: int, edition_id: str | None, hash_of: HashOf
) -> tuple[Claimed, ...]:
    """Up to `limit` due rows; fewer only where fewer are due or some were turned away. Empty only if nothing is due."""
    while taken := _take(connection, lease, limit=limit, edition_id=edition_id):
        claimed: list[Claimed] = []
        for ledger, ids in taken.items():
            claimed += _mailable(connection, ledger, ids, now=lease.now, hash_of=hash_of)
        if claimed:
            return tuple(claimed)
    return ()


def _take(connection: Connection, lease: Lease, *, limit: int, edition_id: str | None) -> dict[LedgerKind, list[int]]:
    """Ids of newly leased rows: letters, then each edition its share of what is left, until it has no more."""
    taken: dict[LedgerKind, list[int]] = {LedgerKind.LETTER: [], LedgerKind.EDITION: []}
    if edition_id is None:
        taken[LedgerKind.LETTER] = _lease(connection, lease, LedgerKind.LETTER, limit=limit)
        limit -= len(taken[LedgerKind.LETTER])
    editions = _approved(connection, edition_id)
    while limit > 0 and editions:
        share = -(-limit // len(editions))
        for edition in tuple(editions):
            wanted = min(share, limit)
            ids = _lease(connection, lease, LedgerKind.EDITION, limit=wanted, edition=edition)
            taken[LedgerKind.EDITION] += ids
            limit -= len(ids)
            if len(ids) < share:
                editions.remove(edition)
    return {ledger: ids for ledger, ids in taken.items() if ids}


def _approved(connection: Connection, edition_id: str | None) -> list[str]:
    """Ids of approved editions, in the order in which they were frozen."""
    query = select(EditionRow.id).where(EditionRow.state == EditionState.APPROVED)
    if edition_id is not None:
        query = query.where(EditionRow.id == edition_id)
    return list(connection.scalars(query.order_by(EditionRow.frozen_at, EditionRow.id)))


def _lease(connection: Connection, lease: Lease, ledger: LedgerKind, *, limit: int, **which: str) -> list[int]:
    ids: list[int] = []
    times = {"now": lease.now, "until": lease.until, "owner": lease.owner}
    for state in WAITING:
        if len(ids) < limit:
            values = {"waiting": state, "most": limit - len(ids), **times, **which}
            ids += connection.scalars(_leasing(ledger), values)
    return ids


@cache
def _leasing(ledger: LedgerKind) -> ReturningUpdate[tuple[int]]:
    """One state at a time: the index then has the rows in order, and the statement ends at the last one it takes."""
    table, now, until = (
        BOOKS[ledger].table,
        bindparam("now", type_=UtcDateTime()),
        bindparam("until", type_=UtcDateTime()),
    )
    due = select(table.c.id).where(table.c.state == bindparam("waiting"), table.c.due_at <= now)
    if ledger is LedgerKind.EDITION:
        due = due.where(table.c.edition_id == bindparam("edition", type_=String()))
    most = bindparam("most", type_=Integer())
    # SQLite has one writer at a time and leaves the lock out.
    picked = due.order_by(table.c.due_at).limit(most).with_for_update(skip_locked=True).cte("picked")
    return (
        update(table)
        .where(table.c.id.in_(select(picked.c.id)))
        .values(owner=bindparam("owner"), leased_until=until, due_at=until, fence=table.c.fence + 1)
        .returning(table.c.id)
    )


def _mailable(
    connection: Connection, ledger: LedgerKind, ids: Sequence[int], *, now: datetime, hash_of: HashOf
) -> list[Claimed]:
    rows = connection.execute(
        _with_people(ledger, connection.dialect.name), {"given": as_given([id_] for id_ in ids)}
    ).all()
    suppressed = _suppressed(connection, {row.id: hash_of(row.address) for row in rows if row.address is not None})
    refused = {row.id: why for row in rows if (why := _why_not(ledger, row) or suppressed.get(row.id))}
    if refused:
        values = {"given": as_given(refused.items()), "now": now}
        connection.execute(_turning_away(ledger, connection.dialect.name), values)
    return [_claimed(ledger, row) for row in rows if row.id not in refused]


def _suppressed(connection: Connection, hashes: dict[int, str]) -> dict[int, str]:
    """Why, by row id, for those whose address is on record as never to be mailed again."""
    found = connection.execute(
        _suppressions(connection.dialect.name), {"given": as_given([value] for value in set(hashes.values()))}
    )
    reasons = {row.address_hash: f"the address is suppressed: {told(row.reason)}" for row in found}
    return {id_: reasons[value] for id_, value in hashes.items() if value in reasons} if reasons else {}


def _why_not(ledger: LedgerKind, row: Row[Any]) -> str | None:
    if row.address is None:
        return NOT_NOW[SubscriptionState.ERASED]
    goes_to = SubscriptionState.ACTIVE if ledger is LedgerKind.EDITION else LETTER_GOES_TO[row.kind]
    return None if row.state is goes_to else NOT_NOW[row.state]


@cache
def _with_people(ledger: LedgerKind, dialect: str) -> Select[Any]:
    """What a message needs to know, for given ids, in their order."""
    table, asked = BOOKS[ledger].table, given(dialect, id=BigInteger())
    own = [table.c.edition_id, table.c.variant] if ledger is LedgerKind.EDITION else [table.c.kind]
    return (
        select(table.c.id, table.c.attempts, table.c.queued_at, table.c.fence, table.c.subscription_id, *own)
        .add_columns(SubscriptionRow.list_id, SubscriptionRow.state, SubscriptionRow.subscriber_id)
        .add_columns(SubscriberRow.address, SubscriberRow.name, SubscriberRow.fields)
        .select_from(asked)
        .join(table, table.c.id == asked.c.id)
        .join(SubscriptionRow, SubscriptionRow.id == table.c.subscription_id)
        .join(SubscriberRow, SubscriberRow.id == SubscriptionRow.subscriber_id)
    )


@cache
def _suppressions(dialect: str) -> Select[str, str]:
    asked = given(dialect, address_hash=String(64))
    return select(SuppressionRow.address_hash, SuppressionRow.reason).join(
        asked, asked.c.address_hash == SuppressionRow.address_hash
    )


@cache
def _turning_away(ledger: LedgerKind, dialect: str) -> Update:
    book, refused = BOOKS[ledger], given(dialect, id=BigInteger(), because=Text())
    return (
        book.moving_by_id(DeliveryState.SUPPRESSED)
        .where(book.table.c.id == refused.c.id)
        .values(because=refused.c.because, settled_at=bindparam("now", type_=UtcDateTime()), **NOBODY)
    )


def _claimed(ledger: LedgerKind, row: Row[Any]) -> Claimed:
    of_edition = ledger is LedgerKind.EDITION
    return Claimed(
        ledger=ledger,
        id=row.id,
        batch=row.edition_id if of_edition else f"{row.kind}/{row.list_id}",
        variant=row.variant if of_edition else "",
        subscriber_id=row.subscriber_id,
        subscription_id=row.subscription_id,
        list_id=row.list_id,
        address=row.address,
        name=row.name,
        fields=fields_from(row.fields),
        attempts=row.attempts,
        queued_at=row.queued_at,
        fence=row.fence,
    )
