"""What the ledger's writer commits: deliveries that begin, and what came of them. A group is a few statements."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, KeysView, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, Integer, Text, Update, bindparam, case, func, null, or_, update

from newsletter.model.delivery import Claimed, DeliveryState, LedgerKind, Tried
from newsletter.model.text import one_line
from newsletter.store.books import BOOKS, NOBODY, WAITING
from newsletter.store.given import as_given, given, given_inside
from newsletter.store.types import UtcDateTime

ANSWER_WITHIN = timedelta(minutes=10)
"""How long a begun delivery stays its worker's: as long as RFC 5321 section 4.5.3.2.6 lets a server take to reply."""

_SETTLED = frozenset({DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNKNOWN})
_BEGUN = (DeliveryState.SENDING, DeliveryState.UNKNOWN)
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")
_SAID_LIMIT = 500
_SILENCE = (None, "", None)


class Begin(NamedTuple):
    """A delivery's first byte is about to go out."""

    what: Claimed
    now: datetime


class Record(NamedTuple):
    """An attempt has an outcome."""

    what: Tried
    now: datetime


Write = Begin | Record

_Key = tuple[int, int]
"""Id and fence."""
_Target = tuple[LedgerKind, DeliveryState]


class _Kind(NamedTuple):
    """What many outcomes have in common."""

    relay: str
    code: int | None
    enhanced: str
    because: str
    counts: bool

    def values(self) -> dict[str, object]:
        """Fit to be kept."""
        return {
            "relay": self.relay or None,
            "code": self.code,
            "enhanced": self.enhanced[:20] or None,
            "because": told(self.because) or None,
            "counts": int(self.counts),
        }


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
    places: defaultdict[_Target, dict[_Key, int]] = defaultdict(dict)
    for place, (what, _) in enumerate(group):
        state = DeliveryState.SENDING if isinstance(what, Claimed) else what.state
        places[what.ledger, state].setdefault((what.id, what.fence), place)
    done = [False] * len(group)
    for target in sorted(places, key=lambda target: target[1] is not DeliveryState.SENDING):
        mine = places[target]
        writing = _Writing(connection, target[0], answer_within=answer_within, counts_only=all_or_none)
        for key in writing.do(target[1], {key: group[place] for key, place in mine.items()}):
            done[mine[key]] = True
    return tuple(done)


def told(text: str) -> str:
    """What a server or we said, fit to be kept: one line of bounded length without anybody's address."""
    text = _ADDRESS.sub("[address]", text) if "@" in text else text
    plain = len(text) <= _SAID_LIMIT and text.isascii() and text.isprintable() and "  " not in text
    return text if plain else one_line(text, limit=_SAID_LIMIT)


@dataclass(frozen=True, slots=True)
class _Writing:
    connection: Connection
    ledger: LedgerKind
    _: KW_ONLY
    answer_within: timedelta
    counts_only: bool

    def do(self, state: DeliveryState, writes: Mapping[_Key, Write]) -> Collection[_Key]:
        """Move rows to a state; returns which were."""
        now = max(write.now for write in writes.values())
        if state is DeliveryState.SENDING:
            return self._begin(writes.keys(), now=now)
        tried = [write for write, _ in writes.values() if isinstance(write, Tried)]
        return self._record(state, tried, now=now)

    def _begin(self, asked: KeysView[_Key], *, now: datetime) -> Collection[_Key]:
        statement = _beginning(self.ledger, self.connection.dialect.name, tells=not self.counts_only)
        values = {"now": now, "until": now + self.answer_within}
        begun = self._done(statement, sorted(asked), asked, **values)
        if refused := asked - set(begun):
            # So that a paused edition goes on at once when it is resumed, not when the lease has run out.
            giving_back = _giving_back(self.ledger, self.connection.dialect.name)
            self.connection.execute(giving_back, {"given": as_given(sorted(refused))})
        return begun

    def _record(self, state: DeliveryState, tried: Sequence[Tried], *, now: datetime) -> Collection[_Key]:
        statement = _recording(self.ledger, state, self.connection.dialect.name, tells=not self.counts_only)
        alike: defaultdict[_Kind, dict[_Key, tuple[object, ...]]] = defaultdict(dict)
        for one in tried:
            code, enhanced, text = (one.reply.code, one.reply.enhanced, told(one.reply.text)) if one.reply else _SILENCE
            kind = _Kind(one.relay, code, enhanced, one.because, one.counts)
            alike[kind][one.id, one.fence] = (one.id, one.fence, text, one.due_at or now)
        settled_at = now if state in _SETTLED else None
        done: list[_Key] = []
        for kind, rows in alike.items():
            done += self._done(statement, sorted(rows.values()), rows.keys(), settled_at=settled_at, **kind.values())
        return done

    def _done(
        self, statement: Update, rows: Sequence[Sequence[object]], asked: KeysView[_Key], **values: object
    ) -> Collection[_Key]:
        result = self.connection.execute(statement, {"given": as_given(rows), **values})
        if not self.counts_only:
            return [(row.id, row.fence) for row in result]
        if result.rowcount != len(asked):
            raise NotAllError
        return asked


@cache
def _beginning(ledger: LedgerKind, dialect: str, *, tells: bool) -> Update:
    book = BOOKS[ledger]
    row, asked = book.table.c, given_inside(dialect, id=BigInteger(), fence=Integer())
    beginning = (
        book.moving_by_id(DeliveryState.SENDING)
        .where(row.id == asked.c.id, row.fence == asked.c.fence, book.sendable)
        .where(row.leased_until > bindparam("now", type_=UtcDateTime()))
        .values(
            begun_at=bindparam("now", type_=UtcDateTime()),
            leased_until=bindparam("until", type_=UtcDateTime()),
            attempts=row.attempts + 1,
        )
    )
    return beginning.returning(row.id, row.fence) if tells else beginning


@cache
def _giving_back(ledger: LedgerKind, dialect: str) -> Update:
    table = BOOKS[ledger].table
    refused = given(dialect, id=BigInteger(), fence=Integer())
    return (
        update(table)
        .where(table.c.id == refused.c.id, table.c.fence == refused.c.fence)
        .where(table.c.leased_until.is_not(None), func.lower(table.c.state).in_(WAITING))
        .values(due_at=table.c.queued_at, **NOBODY)
    )


@cache
def _recording(ledger: LedgerKind, after: DeliveryState, dialect: str, *, tells: bool) -> Update:
    """Outcomes of one kind. A row that was given up as unknown takes a late answer as long as nobody requeued it."""
    book = BOOKS[ledger]
    row = book.table.c
    due_at = {"due_at": UtcDateTime()} if after in WAITING else {}
    tried = given_inside(dialect, id=BigInteger(), fence=Integer(), reply=Text(), **due_at)
    uncounted = case((row.state.in_(_BEGUN) & (bindparam("counts", type_=Integer()) == 0), 1), else_=0)
    recording = (
        book.moving_by_id(after)
        .where(row.id == tried.c.id, row.fence == tried.c.fence)
        .where(or_(row.leased_until.is_not(None), row.state == DeliveryState.UNKNOWN))
        .values(
            attempts=row.attempts - uncounted,
            # Null again where nothing was ever tried: a cancelled edition then gives its stories back.
            begun_at=case((row.attempts == uncounted, null()), else_=row.begun_at),
            reply=tried.c.reply,
            settled_at=bindparam("settled_at", type_=UtcDateTime()),
            code=bindparam("code", type_=Integer()),
            **{name: bindparam(name, type_=Text()) for name in ("relay", "enhanced", "because")},
            **{name: tried.c[name] for name in due_at},
            **NOBODY,
        )
    )
    return recording.returning(row.id, row.fence) if tells else recording
