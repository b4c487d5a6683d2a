"""What the ledger's writer commits: deliveries that begin, and what came of them. A group is a few statements."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, KeysView, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    case,
    func,
    null,
    or_,
    update,
)

from newsletter.model.delivery import Claimed, DeliveryState, LedgerKind, Tried
from newsletter.model.text import one_line
from newsletter.store.books import BOOKS, NOBODY, WAITING
from newsletter.store.given import as_given, given, given_by_id
from newsletter.store.types import UtcDateTime

ANSWER_WITHIN = timedelta(minutes=10)
"""How long a begun delivery stays its worker's: as long as RFC 5321 section 4.5.3.2.6 lets a server take to reply."""

_SETTLED = frozenset({DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNKNOWN})
_BEGUN = (DeliveryState.SENDING, DeliveryState.UNKNOWN)
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")
_SAID_LIMIT = 500
_SILENCE = (None, "", None)


Write = tuple[Claimed | Tried, datetime]
"""A delivery whose first byte is about to go out, or what came of an attempt; and when."""

_Target = tuple[LedgerKind, DeliveryState, int]
"""Ledger, state and fence: within one, an id stands for its write."""

_Kind = tuple[str, int | None, str, str, bool]
"""What many outcomes have in common: relay, code and enhanced code, because, and whether it counts."""


class NotAllError(Exception):
    """Something of a group was no longer its worker's to do; which, the database was not asked."""


def commit_group(
    connection: Connection, group: Sequence[Write], *, answer_within: timedelta = ANSWER_WITHIN, all_or_none: bool
) -> tuple[bool, ...]:
    """Do all of a group; say of each, in order, whether it was still its worker's to do.

    Of two writes with the same row, fence and state the first is done and the second is not, as if they had come in
    two groups. Beginnings come first, so that an outcome that caught up with its own beginning finds it done.

    With `all_or_none` the database only counts, which is cheaper; NotAllError, then, where a row was missed: what was
    done is to be rolled back, and done again without.
    """
    places: defaultdict[_Target, dict[int, int]] = defaultdict(dict)
    for place, (what, _) in enumerate(group):
        state = DeliveryState.SENDING if isinstance(what, Claimed) else what.state
        places[what.ledger, state, what.fence].setdefault(what.id, place)
    done = [False] * len(group)
    for target in sorted(places, key=lambda target: target[1] is not DeliveryState.SENDING):
        mine = places[target]
        writing = _Writing(connection, target, answer_within=answer_within, counts_only=all_or_none)
        for id_ in writing.do({id_: group[mine[id_]] for id_ in sorted(mine)}):
            done[mine[id_]] = True
    return tuple(done)


def told(text: str) -> str:
    """What a server or we said, fit to be kept: one line of bounded length without anybody's address."""
    text = _ADDRESS.sub("[address]", text) if "@" in text else text
    plain = len(text) <= _SAID_LIMIT and text.isascii() and text.isprintable() and "  " not in text
    return text if plain else one_line(text, limit=_SAID_LIMIT)


@dataclass(frozen=True, slots=True)
class _Writing:
    connection: Connection
    target: _Target
    _: KW_ONLY
    answer_within: timedelta
    counts_only: bool

    def do(self, writes: Mapping[int, Write]) -> Collection[int]:
        """Move rows to a state; returns which were."""
        now = max(now for _, now in writes.values())
        if self.target[1] is DeliveryState.SENDING:
            return self._begin(writes.keys(), now=now)
        return self._record([what for what, _ in writes.values() if isinstance(what, Tried)], now=now)

    def _begin(self, asked: KeysView[int], *, now: datetime) -> Collection[int]:
        ledger, _, fence = self.target
        statement = _beginning(ledger, self.connection.dialect.name, tells=not self.counts_only)
        begun = self._done(statement, dict.fromkeys(asked), now=now, until=now + self.answer_within)
        if refused := asked - set(begun):
            # So that a paused edition goes on at once when it is resumed, not when the lease has run out.
            giving_back = _giving_back(ledger, self.connection.dialect.name)
            self.connection.execute(giving_back, {"given": as_given(sorted(refused)), "held": fence})
        return begun

    def _record(self, tried: Sequence[Tried], *, now: datetime) -> Collection[int]:
        ledger, state, _ = self.target
        statement_for = partial(_recording, ledger, state, self.connection.dialect.name, tells=not self.counts_only)
        waits = state in WAITING
        alike: defaultdict[_Kind, dict[int, object]] = defaultdict(dict)
        for one in tried:
            code, enhanced, text = (one.reply.code, one.reply.enhanced, told(one.reply.text)) if one.reply else _SILENCE
            said = alike[one.relay, code, enhanced, one.because, one.counts]
            said[one.id] = (text, one.due_at or now) if waits else text
        settled_at = now if state in _SETTLED else None
        done: list[int] = []
        for (relay, code, enhanced, because, counts), rows in alike.items():
            values = {
                "relay": relay or None,
                "code": code,
                "enhanced": enhanced[:20] or None,
                "because": told(because) or None,
            }
            done += self._done(statement_for(counts=counts), rows, settled_at=settled_at, **values)
        return done

    def _done(self, statement: Update, rows: Mapping[int, object], **values: object) -> Collection[int]:
        values |= {"given": as_given(rows), "held": self.target[2]}
        result = self.connection.execute(statement, values)
        if not self.counts_only:
            return [row.id for row in result]
        if result.rowcount != len(rows):
            raise NotAllError
        return rows.keys()


@cache
def _beginning(ledger: LedgerKind, dialect: str, *, tells: bool) -> Update:
    book = BOOKS[ledger]
    row, asked = book.table.c, given_by_id(dialect)
    beginning = (
        book.moving_by_id(DeliveryState.SENDING)
        .where(_held(book.table, asked), book.sendable)
        .where(row.leased_until > bindparam("now", type_=UtcDateTime()))
        .values(
            begun_at=bindparam("now", type_=UtcDateTime()),
            leased_until=bindparam("until", type_=UtcDateTime()),
            attempts=row.attempts + 1,
        )
    )
    return beginning.returning(row.id) if tells else beginning


@cache
def _giving_back(ledger: LedgerKind, dialect: str) -> Update:
    table = BOOKS[ledger].table
    refused = given(dialect, id=BigInteger())
    return (
        update(table)
        .where(_held(table, refused))
        .where(table.c.leased_until.is_not(None), func.lower(table.c.state).in_(WAITING))
        .values(due_at=table.c.queued_at, **NOBODY)
    )


@cache
def _recording(ledger: LedgerKind, after: DeliveryState, dialect: str, *, counts: bool, tells: bool) -> Update:
    """Outcomes of one kind. A row that was given up as unknown takes a late answer as long as nobody requeued it."""
    book = BOOKS[ledger]
    row = book.table.c
    due_at = {"due_at": UtcDateTime()} if after in WAITING else {}
    tried = given_by_id(dialect, reply=Text(), **due_at)
    recording = (
        book.moving_by_id(after)
        .where(_held(book.table, tried))
        .where(or_(row.leased_until.is_not(None), row.state == DeliveryState.UNKNOWN))
        .values(
            reply=tried.c.reply,
            settled_at=bindparam("settled_at", type_=UtcDateTime()),
            code=bindparam("code", type_=Integer()),
            **{name: bindparam(name, type_=Text()) for name in ("relay", "enhanced", "because")},
            **{name: tried.c[name] for name in due_at},
            **NOBODY,
            **({} if counts else _uncounted(book.table)),
        )
    )
    return recording.returning(row.id) if tells else recording


def _held(table: Table, given_rows: FromClause) -> ColumnElement[bool]:
    """That a row is given, and still has the fence that is bound to `held`.

    A condition on fences alone would be one more of which PostgreSQL believes that hardly a row meets it, and that it
    had better read them all and look each up among those that are given.
    """
    fence = bindparam("held", type_=Integer()) + given_rows.c.id - table.c.id
    return and_(table.c.id == given_rows.c.id, table.c.fence == fence)


def _uncounted(table: Table) -> dict[str, ColumnElement[Any]]:
    """As it was before an attempt that was none."""
    row = table.c
    begun = case((row.state.in_(_BEGUN), 1), else_=0)
    # Null again where nothing was ever tried: a cancelled edition then gives its stories back.
    return {"attempts": row.attempts - begun, "begun_at": case((row.attempts == begun, null()), else_=row.begun_at)}
