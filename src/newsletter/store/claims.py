"""Leasing due rows of the ledger to a worker, and turning away who must not be mailed any more.

A lease moves a row's `due_at` to its end, so that the index on what is due leaves leased rows out and finds them again
when the lease has run out. Who gives a lease back sets `due_at` to `queued_at`: the row was due.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    Table,
    Text,
    bindparam,
    case,
    func,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate, Update

from newsletter.model.delivery import Claimed, DeliveryState, LedgerKind
from newsletter.model.edition import EditionState
from newsletter.model.message import MOVING, LetterKind
from newsletter.model.pacing import Lines
from newsletter.model.subscriber import SubscriptionState, Suppression, SuppressionKind
from newsletter.store.barred import barred
from newsletter.store.books import BOOKS, LETTER_GOES_TO, NOBODY, WAITING
from newsletter.store.given import as_given, as_one, as_told, given, instant_from
from newsletter.store.mapping import fields_from
from newsletter.store.outcomes import told
from newsletter.store.tables import AddressChangeRow, EditionRow, SubscriberRow, SubscriptionRow
from newsletter.store.types import UtcDateTime

HashesOf = Callable[[str], Sequence[str]]
"""The keyed hashes under which an address may be suppressed."""

_NO_CHANGE = "the change of address is done or over"
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
    connection: Connection,
    lease: Lease,
    *,
    limit: int,
    edition_id: str | None,
    hashes_of: HashesOf,
    lines: Lines | None = None,
    turn: int = 0,
) -> tuple[tuple[Claimed, ...], bool]:
    """Up to `limit` due rows, and whether there was any: some may have been turned away or have got in line.

    With every `turn` another edition comes first, so that none is left out where there are more of them than rows.
    """
    editions, letters = _in_turn(_approved(connection, edition_id), turn), edition_id is None
    claimed: list[Claimed] = []
    seen = False
    for line, most in (*(lines.takes.items() if lines else ()), (None, limit)):
        wanted = min(most, limit - len(claimed))
        taken = _take(connection, lease, editions, limit=wanted, letters=letters, line=line)
        seen = seen or bool(taken)
        for ledger, ids in taken.items():
            found = _mailable(connection, ledger, ids, now=lease.now, hashes_of=hashes_of)
            claimed += found if line or not lines else _unhindered(connection, found, lines)
    return tuple(claimed), seen


def _unhindered(connection: Connection, found: Sequence[Claimed], lines: Lines) -> list[Claimed]:
    """Those whose provider is not held back; the others get in line."""
    held = {one.id for one in found if lines.provider_of(one.address) in lines.until}
    line_up(connection, [one for one in found if one.id in held], lines)
    return [one for one in found if one.id not in held]


def line_up(connection: Connection, claimed: Collection[Claimed], lines: Lines) -> int:
    """Give leased rows back, into the line for their provider; returns how many."""
    done = 0
    for ledger in LedgerKind:
        rows = [
            (one.id, one.fence, provider, lines.until[provider])
            for one in claimed
            if one.ledger is ledger
            for provider in [lines.provider_of(one.address)]
        ]
        if rows:
            lining_up = _lining_up(ledger, connection.dialect.name)
            done += len(connection.execute(lining_up, {"given": as_given(sorted(rows))}).all())
    return done


def _take(
    connection: Connection, lease: Lease, editions: Sequence[str], *, limit: int, letters: bool, line: str | None
) -> dict[LedgerKind, list[int]]:
    """Ids of newly leased rows: letters, then each edition its share of what is left, until it has no more."""
    taken: dict[LedgerKind, list[int]] = {LedgerKind.LETTER: [], LedgerKind.EDITION: []}
    if letters:
        taken[LedgerKind.LETTER] = _lease(connection, lease, LedgerKind.LETTER, limit=limit, line=line)
        limit -= len(taken[LedgerKind.LETTER])
    left = list(editions)
    while limit > 0 and left:
        share = -(-limit // len(left))
        for edition in tuple(left):
            wanted = min(share, limit)
            ids = _lease(connection, lease, LedgerKind.EDITION, limit=wanted, line=line, edition=edition)
            taken[LedgerKind.EDITION] += ids
            limit -= len(ids)
            if len(ids) < share:
                left.remove(edition)
    return {ledger: ids for ledger, ids in taken.items() if ids}


def _in_turn(editions: list[str], turn: int) -> list[str]:
    first = turn % len(editions) if editions else 0
    return editions[first:] + editions[:first]


def _approved(connection: Connection, edition_id: str | None) -> list[str]:
    """Ids of approved editions, in the order in which they were frozen."""
    if edition_id is None:
        return list(connection.scalars(_APPROVED))
    return list(connection.scalars(_IS_APPROVED, {"edition": edition_id}))


_APPROVED = (
    select(EditionRow.id).where(EditionRow.state == EditionState.APPROVED).order_by(EditionRow.frozen_at, EditionRow.id)
)
_IS_APPROVED = _APPROVED.where(EditionRow.id == bindparam("edition"))


def _lease(
    connection: Connection, lease: Lease, ledger: LedgerKind, *, limit: int, line: str | None, **which: str
) -> list[int]:
    dialect = connection.dialect.name
    ids: list[int] = []
    if line is not None:
        ids = _picked(connection, _picking_from_line(ledger, dialect), {"line": line, "most": limit, **which})
    for state in WAITING if line is None else ():
        if len(ids) < limit:
            values = {"waiting": state, "most": limit - len(ids), "now": lease.now, **which}
            ids += _picked(connection, _picking(ledger, dialect), values)
    if ids:
        times = {"until": lease.until, "owner": lease.owner}
        connection.execute(_leasing(ledger, dialect), {"given": as_given(ids), **times})
    return ids


def _picked(connection: Connection, picking: Select[Any], values: Mapping[str, object]) -> list[int]:
    return [id_ for (id_,) in as_told(connection.scalar(picking, values))]


@cache
def _picking(ledger: LedgerKind, dialect: str) -> Select[Any]:
    """One state at a time: the index then has the rows in order, and the statement ends at the last one it takes."""
    row = BOOKS[ledger].table.c
    due = select(row.id).where(row.state == bindparam("waiting"), row.due_at <= bindparam("now", type_=UtcDateTime()))
    return _locked(ledger, due.order_by(row.due_at), dialect)


@cache
def _picking_from_line(ledger: LedgerKind, dialect: str) -> Select[Any]:
    """Whatever stands in one line, in no order: who got in line was due. For lower() see Book.moving_by_id."""
    row = BOOKS[ledger].table.c
    waiting = func.lower(row.state).in_(WAITING)
    return _locked(ledger, select(row.id).where(row.waits_for == bindparam("line"), waiting), dialect)


def _locked(ledger: LedgerKind, which: Select[int], dialect: str) -> Select[Any]:
    if ledger is LedgerKind.EDITION:
        which = which.where(BOOKS[ledger].table.c.edition_id == bindparam("edition", type_=String()))
    # SQLite has one writer at a time and leaves the lock out.
    picked = which.limit(bindparam("most", type_=Integer())).with_for_update(skip_locked=True).subquery("picked")
    return select(as_one(dialect, picked.c.id))


@cache
def _leasing(ledger: LedgerKind, dialect: str) -> Update:
    table, until = BOOKS[ledger].table, bindparam("until", type_=UtcDateTime())
    asked = given(dialect, id=BigInteger())
    return (
        update(table)
        .where(table.c.id.in_(select(asked.c.id)))
        .values(owner=bindparam("owner"), leased_until=until, due_at=until, fence=table.c.fence + 1, waits_for=None)
    )


def _mailable(
    connection: Connection, ledger: LedgerKind, ids: Sequence[int], *, now: datetime, hashes_of: HashesOf
) -> list[Claimed]:
    asked = {"given": as_given(ids)}
    rows = as_told(connection.scalar(_with_people(ledger, connection.dialect.name), asked))
    people = [_person(ledger, row) for row in rows]
    addresses = {one.id: one.address for one, _ in people if one.address}
    hashes = {id_: hashes_of(address) for id_, address in addresses.items()}
    suppressed = barred(connection, addresses, hashes=hashes)
    refused = {one.id: why for one, state in people if (why := _why_not(one, state, suppressed.get(one.id)))}
    if refused:
        values = {"given": as_given(refused.items()), "now": now}
        connection.execute(_turning_away(ledger, connection.dialect.name), values)
    return [one for one, _ in people if one.id not in refused]


def _person(ledger: LedgerKind, row: Sequence[Any]) -> tuple[Claimed, str]:
    """Whom a row of `_with_people` is for, with an empty address if there is none, and the subscription's state."""
    (id_, attempts, queued_at, fence, subscription_id, what, variant, list_id, state, subscriber_id, *person) = row
    address, name, fields, tracking, change_id = person
    claimed = Claimed(
        ledger=ledger,
        id=id_,
        batch=what if ledger is LedgerKind.EDITION else f"{what}/{list_id}",
        variant=variant,
        subscriber_id=subscriber_id,
        subscription_id=subscription_id,
        list_id=list_id,
        address=address or "",
        name=name,
        fields=fields_from(fields),
        attempts=attempts,
        queued_at=instant_from(queued_at),
        fence=fence,
        tracking=bool(tracking),
        change_id=change_id,
    )
    return claimed, state


def _why_not(one: Claimed, state: str, suppressed: Suppression | None) -> str | None:
    letter = LetterKind(one.batch.partition("/")[0]) if one.ledger is LedgerKind.LETTER else None
    if not one.address:
        return _NO_CHANGE if letter in MOVING else NOT_NOW[SubscriptionState.ERASED]
    if letter in MOVING:
        return _because(suppressed) if suppressed else None
    goes_to = LETTER_GOES_TO[letter] if letter else SubscriptionState.ACTIVE
    if state != goes_to:
        return NOT_NOW[SubscriptionState(state)]
    # Who was erased and signs up again is asked whether it is them; nothing else reaches them before they say so.
    if suppressed is None or (suppressed.kind is SuppressionKind.ERASED and goes_to is SubscriptionState.PENDING):
        return None
    return _because(suppressed)


def _because(suppressed: Suppression) -> str:
    return f"the {'domain' if suppressed.kind is None else 'address'} is suppressed: {told(suppressed.reason)}"


@cache
def _with_people(ledger: LedgerKind, dialect: str) -> Select[Any]:
    """What a message needs to know (see `_person`), for each given id."""
    table, asked = BOOKS[ledger].table, given(dialect, id=BigInteger())
    letter = ledger is LedgerKind.LETTER
    own = (table.c.kind, literal("")) if letter else (table.c.edition_id, table.c.variant)
    subscription, subscriber = SubscriptionRow.__table__.c, SubscriberRow.__table__.c
    row = (table.c.id, table.c.attempts, table.c.queued_at, table.c.fence, table.c.subscription_id, *own)
    on_list = (subscription.list_id, subscription.state, subscription.subscriber_id)
    person = (subscriber.name, subscriber.fields, subscriber.tracking)
    change_id = table.c.change_id if letter else null()
    people = (
        select(as_one(dialect, *row, *on_list, _goes_to(table) if letter else subscriber.address, *person, change_id))
        .select_from(asked)
        .join(table, table.c.id == asked.c.id)
        .join(SubscriptionRow, subscription.id == table.c.subscription_id)
        .join(SubscriberRow, subscriber.id == subscription.subscriber_id)
    )
    return people.outerjoin(AddressChangeRow, AddressChangeRow.id == table.c.change_id) if letter else people


def _goes_to(letters: Table) -> ColumnElement[Any]:
    """A letter's address: the person's own, or the one they want. None for a wish that is over."""
    own, wanted = SubscriberRow.__table__.c.address, AddressChangeRow.__table__.c.address
    return case(
        (letters.c.kind.not_in(MOVING), own),
        (wanted.is_(None), null()),
        (letters.c.kind == LetterKind.MOVE_TO, wanted),
        else_=own,
    )


@cache
def _turning_away(ledger: LedgerKind, dialect: str) -> Update:
    book, refused = BOOKS[ledger], given(dialect, id=BigInteger(), because=Text())
    return (
        book.moving_by_id(DeliveryState.SUPPRESSED)
        .where(book.table.c.id == refused.c.id)
        .values(because=refused.c.because, settled_at=bindparam("now", type_=UtcDateTime()), **NOBODY)
    )


@cache
def _lining_up(ledger: LedgerKind, dialect: str) -> ReturningUpdate[tuple[int]]:
    table = BOOKS[ledger].table
    held = given(dialect, id=BigInteger(), fence=Integer(), provider=String(255), until=UtcDateTime())
    return (
        update(table)
        .where(table.c.id == held.c.id, table.c.fence == held.c.fence)
        .where(table.c.leased_until.is_not(None), func.lower(table.c.state).in_(WAITING))
        .values(due_at=held.c.until, waits_for=held.c.provider, **NOBODY)
        .returning(table.c.id)
    )
