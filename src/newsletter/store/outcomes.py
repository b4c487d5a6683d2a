"""What the ledger's writer commits: deliveries that begin, and what came of them. A group is a few statements."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, Text, bindparam, case, func, null, or_, update
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.types import TypeEngine

from newsletter.model.delivery import Claimed, DeliveryState, LedgerKind, Tried
from newsletter.model.text import one_line
from newsletter.store.books import BOOKS, NOBODY, WAITING
from newsletter.store.given import as_given, given
from newsletter.store.types import UtcDateTime

ANSWER_WITHIN = timedelta(minutes=10)
"""How long a begun delivery stays its worker's: as long as RFC 5321 section 4.5.3.2.6 lets a server take to reply."""

_SETTLED = frozenset({DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNKNOWN})
_BEGUN = (DeliveryState.SENDING, DeliveryState.UNKNOWN)
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")
_SAID_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Begin:
    """A delivery's first byte is about to go out."""

    claimed: Claimed
    now: datetime

    @property
    def claim(self) -> tuple[int, int]:
        return self.claimed.id, self.claimed.fence

    @property
    def target(self) -> tuple[LedgerKind, DeliveryState]:
        return self.claimed.ledger, DeliveryState.SENDING


@dataclass(frozen=True, slots=True)
class Record:
    """An attempt has an outcome."""

    tried: Tried
    now: datetime

    @property
    def claim(self) -> tuple[int, int]:
        return self.tried.id, self.tried.fence

    @property
    def target(self) -> tuple[LedgerKind, DeliveryState]:
        return self.tried.ledger, self.tried.state


Write = Begin | Record


def commit_group(
    connection: Connection, group: Sequence[Write], *, answer_within: timedelta = ANSWER_WITHIN
) -> tuple[bool, ...]:
    """Do all of a group; say of each, in order, whether it was still its worker's to do.

    Of two writes with the same row, fence and state the first is done and the second is not, as if they had come in
    two groups. Beginnings come first, so that an outcome that caught up with its own beginning finds it done.
    """
    places: dict[tuple[LedgerKind, DeliveryState], dict[tuple[int, int], int]] = defaultdict(dict)
    for place, write in enumerate(group):
        places[write.target].setdefault(write.claim, place)
    done = [False] * len(group)
    for target in sorted(places, key=lambda target: target[1] is not DeliveryState.SENDING):
        mine = {claim: group[place] for claim, place in places[target].items()}
        for claim in _written(connection, target, mine, answer_within=answer_within):
            done[places[target][claim]] = True
    return tuple(done)


def told(text: str) -> str:
    """What a server or we said, fit to be kept: one line of bounded length without anybody's address."""
    text = _ADDRESS.sub("[address]", text) if "@" in text else text
    plain = len(text) <= _SAID_LIMIT and text.isascii() and text.isprintable() and "  " not in text
    return text if plain else one_line(text, limit=_SAID_LIMIT)


def _written(
    connection: Connection,
    target: tuple[LedgerKind, DeliveryState],
    writes: Mapping[tuple[int, int], Write],
    *,
    answer_within: timedelta,
) -> set[tuple[int, int]]:
    ledger, after = target
    begins = [write for write in writes.values() if isinstance(write, Begin)]
    if begins:
        return _begin(connection, ledger, begins, answer_within=answer_within)
    records = [_record_row(write) for write in writes.values() if isinstance(write, Record)]
    statement = _recording(ledger, after, connection.dialect.name)
    return {(row.id, row.fence) for row in connection.execute(statement, {"given": as_given(sorted(records))})}


def _begin(
    connection: Connection, ledger: LedgerKind, begins: Sequence[Begin], *, answer_within: timedelta
) -> set[tuple[int, int]]:
    now = max(begin.now for begin in begins)
    asked = {begin.claim for begin in begins}
    times = {"now": now, "until": now + answer_within}
    statement = _beginning(ledger, connection.dialect.name)
    begun = {(row.id, row.fence) for row in connection.execute(statement, {"given": as_given(sorted(asked)), **times})}
    if refused := asked - begun:
        # So that a paused edition goes on at once when it is resumed, not when the lease has run out.
        connection.execute(_giving_back(ledger, connection.dialect.name), {"given": as_given(sorted(refused))})
    return begun


@cache
def _beginning(ledger: LedgerKind, dialect: str) -> ReturningUpdate[tuple[int, int]]:
    book = BOOKS[ledger]
    row, asked = book.table.c, given(dialect, id=BigInteger(), fence=Integer())
    return (
        book.moving_by_id(DeliveryState.SENDING)
        .where(row.id == asked.c.id, row.fence == asked.c.fence, book.sendable)
        .where(row.leased_until > bindparam("now", type_=UtcDateTime()))
        .values(
            begun_at=bindparam("now", type_=UtcDateTime()),
            leased_until=bindparam("until", type_=UtcDateTime()),
            attempts=row.attempts + 1,
        )
        .returning(row.id, row.fence)
    )


@cache
def _giving_back(ledger: LedgerKind, dialect: str) -> ReturningUpdate[tuple[int]]:
    table = BOOKS[ledger].table
    refused = given(dialect, id=BigInteger(), fence=Integer())
    return (
        update(table)
        .where(table.c.id == refused.c.id, table.c.fence == refused.c.fence)
        .where(table.c.leased_until.is_not(None), func.lower(table.c.state).in_(WAITING))
        .values(due_at=table.c.queued_at, **NOBODY)
        .returning(table.c.id)
    )


@cache
def _recording(ledger: LedgerKind, after: DeliveryState, dialect: str) -> ReturningUpdate[tuple[int, int]]:
    """Outcomes of one kind. A row that was given up as unknown takes a late answer as long as nobody requeued it."""
    book = BOOKS[ledger]
    row, tried = book.table.c, given(dialect, **_RECORD_COLUMNS)
    uncounted = case((row.state.in_(_BEGUN) & (tried.c.counts == 0), 1), else_=0)
    return (
        book.moving_by_id(after)
        .where(row.id == tried.c.id, row.fence == tried.c.fence)
        .where(or_(row.leased_until.is_not(None), row.state == DeliveryState.UNKNOWN))
        .values(
            due_at=tried.c.due_at if after in WAITING else row.due_at,
            settled_at=tried.c.settled_at,
            attempts=row.attempts - uncounted,
            # Null again where nothing was ever tried: a cancelled edition then gives its stories back.
            begun_at=case((row.attempts == uncounted, null()), else_=row.begun_at),
            **{name: tried.c[name] for name in ("relay", "code", "enhanced", "reply", "because")},
            **NOBODY,
        )
        .returning(row.id, row.fence)
    )


_RECORD_COLUMNS: dict[str, TypeEngine[Any]] = {
    "id": BigInteger(),
    "fence": Integer(),
    "due_at": UtcDateTime(),
    "settled_at": UtcDateTime(),
    "relay": Text(),
    "code": Integer(),
    "enhanced": Text(),
    "reply": Text(),
    "because": Text(),
    "counts": Integer(),
}


def _record_row(write: Record) -> tuple[object, ...]:
    tried, reply = write.tried, write.tried.reply
    return (
        tried.id,
        tried.fence,
        tried.due_at or write.now,
        write.now if tried.state in _SETTLED else None,
        tried.relay or None,
        reply.code if reply else None,
        (reply.enhanced[:20] or None) if reply else None,
        told(reply.text) if reply else None,
        told(tried.because) or None,
        int(tried.counts),
    )
