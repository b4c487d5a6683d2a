"""The ledger: deliveries of editions, and letters. One row each, one set of moves, one fence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from itertools import count
from types import TracebackType
from typing import Self

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, true, update

from newsletter.errors import EditionError
from newsletter.model.delivery import DELIVERY_MOVES, Claimed, DeliveryKey, DeliveryState, LedgerKind, Tried
from newsletter.model.edition import GOING, EditionState
from newsletter.model.pacing import LONGEST_PAUSE, WRONG_CLOCK, Lines
from newsletter.model.trouble import PATIENCE, Patience
from newsletter.store.books import BOOKS, DELIVERIES, LETTERS, NOBODY, NOWHERE, WAITING, Book, leased
from newsletter.store.calling_off import call_off_returned
from newsletter.store.claims import HashesOf, Lease, claim, line_up
from newsletter.store.consequences import Terms, follow, forget_old, is_blamed
from newsletter.store.editions import locked_edition, set_state
from newsletter.store.engine import Store
from newsletter.store.outcomes import ANSWER_WITHIN, NotAllError, Write, commit_group
from newsletter.store.tables import DeliveryRow, EditionRow
from newsletter.store.writer import GroupWriter

STOPPED = "the program stopped before the server's answer was kept"
_LONGEST_WAIT = timedelta(hours=4)
_JITTER = 1.1
_RESENDABLE = frozenset({DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNKNOWN})


class Ledger:
    """The Ledger port. `hashes_of` says under which keyed hashes an address may be suppressed."""

    def __init__(
        self,
        store: Store,
        *,
        hashes_of: HashesOf,
        answer_within: timedelta = ANSWER_WITHIN,
        patience: Patience = PATIENCE,
        longest_wait: timedelta = _LONGEST_WAIT,
    ) -> None:
        self.answer_within = answer_within
        self._store = store
        self._terms = Terms(hashes_of=hashes_of, patience=patience)
        self._farthest = max(longest_wait * _JITTER, LONGEST_PAUSE) + WRONG_CLOCK
        self._turns = count()
        self._writer: GroupWriter[Write] = GroupWriter(self._commit, name="ledger")

    def close(self) -> None:
        """Write all that was handed in, then stop the writer."""
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def recover(self, *, now: datetime, alone: bool) -> tuple[int, int]:
        with self._store.write() as connection:
            unknown = requeued = 0
            for book in BOOKS.values():
                until = book.table.c.leased_until
                of_the_dead = leased(book.table)
                if not alone:
                    of_the_dead &= or_(until < now, until > now + self._farthest)
                unknown += _give_up(connection, book, of_the_dead, now=now)
                requeued += _give_back(connection, book, of_the_dead)
                requeued += _bring_forward(connection, book, after=now + self._farthest, now=now)
        return unknown, requeued

    def claim(
        self,
        *,
        owner: str,
        limit: int,
        now: datetime,
        lease: timedelta,
        edition_id: str | None = None,
        lines: Lines | None = None,
    ) -> tuple[Claimed, ...]:
        taking = Lease(owner=owner, now=now, until=now + lease)
        claimed: tuple[Claimed, ...] = ()
        any_left = True
        # A transaction each: where a provider is held back, hundreds of thousands may have to get in line.
        while any_left and not claimed:
            turn = next(self._turns)
            with self._store.write() as connection:
                claimed, any_left = claim(
                    connection,
                    taking,
                    limit=limit,
                    edition_id=edition_id,
                    hashes_of=self._terms.hashes_of,
                    lines=lines,
                    turn=turn,
                )
        return claimed

    def line_up(self, claimed: Collection[Claimed], lines: Lines) -> int:
        with self._store.write() as connection:
            return line_up(connection, claimed, lines)

    def begin(self, claimed: Claimed, *, now: datetime) -> Future[bool]:
        return self._writer.submit((claimed, now))

    def record(self, tried: Tried, *, now: datetime) -> Future[bool]:
        """MoveError, at once, for a state that is no outcome."""
        DELIVERY_MOVES.check(DeliveryState.SENDING, tried.state)
        return self._writer.submit((tried, now))

    def begin_all(self, claimed: Sequence[Claimed], *, now: datetime) -> Future[tuple[bool, ...]]:
        return self._writer.submit_all([(one, now) for one in claimed])

    def record_all(self, tried: Sequence[Tried], *, now: datetime) -> Future[tuple[bool, ...]]:
        """MoveError, at once, for a state that is no outcome."""
        for state in {one.state for one in tried}:
            DELIVERY_MOVES.check(DeliveryState.SENDING, state)
        return self._writer.submit_all([(one, now) for one in tried])

    def settle(
        self, owner: str, *, answered: Sequence[Tried], started: Collection[DeliveryKey], whole: bool, now: datetime
    ) -> tuple[int, int, int]:
        with self._store.write() as connection:
            found = sum(self._kept(connection, [(one, now) for one in answered]))
            left = [one for book in BOOKS.values() for one in _left_sending(connection, book, owner)]
            ends = [_end_of(key, doubt=key in started or not whole) for key in left]
            self._kept(connection, [(one, now) for one in ends])
            requeued = sum(_give_back(connection, book, book.table.c.owner == owner) for book in BOOKS.values())
        unknown = sum(one.state is DeliveryState.UNKNOWN for one in ends)
        return found, unknown, requeued + len(ends) - unknown

    def release(self, owner: str) -> int:
        with self._store.write() as connection:
            return sum(_give_back(connection, book, book.table.c.owner == owner) for book in BOOKS.values())

    def next_due_at(self, *, edition_id: str | None = None) -> datetime | None:
        with self._store.read() as connection:
            dates = [_first_due(connection, edition_id, state) for state in WAITING]
            if edition_id is None:
                letters = select(func.min(LETTERS.table.c.due_at)).where(LETTERS.table.c.state.in_(WAITING))
                dates.append(connection.scalar(letters))
        return min((at for at in dates if at is not None), default=None)

    def in_flight(self, *, edition_id: str | None = None) -> int:
        of_edition = DELIVERIES.table.c.edition_id == edition_id if edition_id else true()
        with self._store.read() as connection:
            flying = _count_sending(connection, DELIVERIES, of_edition)
            return flying if edition_id else flying + _count_sending(connection, LETTERS, true())

    def resend(self, edition_id: str, states: Collection[DeliveryState], *, now: datetime) -> int:
        """EditionError for a state that cannot be sent again, or an edition that is cancelled or not approved yet."""
        if wrong := sorted(set(states) - _RESENDABLE):
            raise EditionError(
                edition_id, f"only deferred, failed and unknown can be sent again, not {', '.join(wrong)}"
            )
        with self._store.write() as connection:
            edition = locked_edition(connection, edition_id)
            if edition.state not in {*GOING, EditionState.FINISHED}:
                raise EditionError(edition_id, f"it is {edition.state}: there is nothing to send again")
            row = DELIVERIES.table.c
            again = and_(row.edition_id == edition_id, row.state.in_(states), row.owner.is_(None))
            # The operator's decision starts a new span for retries.
            queued = _requeue(connection, DELIVERIES, again, due_at=now, queued_at=now)
            if queued and edition.state is EditionState.FINISHED:
                set_state(connection, edition, EditionState.APPROVED, now=now, because="sent again")
        return queued

    def requeue_unknown(self, *, now: datetime) -> int:
        """Only of editions that are still going: what a finished one left in doubt is for `resend` and the operator."""
        going = select(EditionRow.id).where(EditionRow.state.in_(GOING))
        with self._store.write() as connection:
            of_going = and_(DELIVERIES.table.c.edition_id.in_(going), _is_unknown(DELIVERIES))
            return sum(
                _requeue(connection, book, where, due_at=now)
                for book, where in ((DELIVERIES, of_going), (LETTERS, _is_unknown(LETTERS)))
            )

    def totals(self, kind: LedgerKind) -> Mapping[DeliveryState, int]:
        state = BOOKS[kind].table.c.state
        with self._store.read() as connection:
            counted = {
                row.state: row.many
                for row in connection.execute(select(state, func.count().label("many")).group_by(state))
            }
        return {each: counted.get(each, 0) for each in DeliveryState}

    def prune(self, *, now: datetime) -> int:
        """Forget how much trouble mailboxes were long ago; returns how many."""
        with self._store.write() as connection:
            return forget_old(connection, patience=self._terms.patience, now=now)

    def _commit(self, group: Sequence[Write]) -> Sequence[bool]:
        try:
            with self._store.write() as connection:
                return self._kept(connection, group, all_or_none=True)
        except NotAllError:
            with self._store.write() as connection:
                return self._kept(connection, group)

    def _kept(self, connection: Connection, group: Sequence[Write], *, all_or_none: bool = False) -> Sequence[bool]:
        """Do all of a group, and what follows from it: for people, and for what an editor called off meanwhile."""
        done = commit_group(connection, group, answer_within=self.answer_within, all_or_none=all_or_none)
        # Nothing follows from what was sent, and most was.
        rest = [
            (what, now)
            for (what, now), ours in zip(group, done, strict=True)
            if ours and isinstance(what, Tried) and what.state is not DeliveryState.SENT
        ]
        if returned := [one.id for one, _ in rest if one.state in WAITING and one.ledger is LedgerKind.EDITION]:
            call_off_returned(connection, returned)
        if failed := [(one, now) for one, now in rest if is_blamed(one)]:
            follow(connection, [one for one, _ in failed], terms=self._terms, now=max(now for _, now in failed))
        return done


def _left_sending(connection: Connection, book: Book, owner: str) -> list[DeliveryKey]:
    """What a worker had begun."""
    row = book.table.c
    begun = select(row.id, row.fence).where(row.owner == owner, row.state == DeliveryState.SENDING)
    return [(book.kind, each.id, each.fence) for each in connection.execute(begun)]


def _end_of(key: DeliveryKey, *, doubt: bool) -> Tried:
    ledger, id_, fence = key
    state, because = (DeliveryState.UNKNOWN, STOPPED) if doubt else (DeliveryState.QUEUED, "")
    return Tried(ledger=ledger, id=id_, fence=fence, state=state, reply=None, because=because, relay="", counts=doubt)


def _give_up(connection: Connection, book: Book, which: ColumnElement[bool], *, now: datetime) -> int:
    """Begun rows of dead workers become unknown. Their fence stays: if the worker lives, its answer is the truth."""
    lost = book.moving(DeliveryState.UNKNOWN).where(which)
    return connection.execute(lost.values(because=STOPPED, settled_at=now, **NOBODY)).rowcount


def _give_back(connection: Connection, book: Book, which: ColumnElement[bool]) -> int:
    row = book.table.c
    unbegun = update(book.table).where(leased(book.table), which, row.state.in_(WAITING))
    returned = connection.scalars(unbegun.values(due_at=row.queued_at, **NOBODY).returning(row.id)).all()
    if returned and book is DELIVERIES:
        call_off_returned(connection, returned)
    return len(returned)


def _bring_forward(connection: Connection, book: Book, *, after: datetime, now: datetime) -> int:
    """Let what waits longer than anything has to be due now: a machine whose clock was far ahead put it off."""
    row = book.table.c
    far = [row.owner.is_(None), row.state.in_(WAITING), row.due_at > after]
    if book is DELIVERIES:
        far.append(row.edition_id.in_(select(EditionRow.id).where(EditionRow.state.in_(GOING))))
    # Who gives a lease back goes by `queued_at`.
    queued_at = case((row.queued_at > after, now), else_=row.queued_at)
    return connection.execute(update(book.table).where(*far).values(due_at=now, queued_at=queued_at)).rowcount


def _requeue(connection: Connection, book: Book, which: ColumnElement[bool], **values: datetime) -> int:
    """Queue again; whoever still holds an older fence can no longer write."""
    again = book.moving(DeliveryState.QUEUED).where(which)
    return connection.execute(again.values(fence=book.table.c.fence + 1, settled_at=None, **values, **NOWHERE)).rowcount


def _is_unknown(book: Book) -> ColumnElement[bool]:
    return book.table.c.state == DeliveryState.UNKNOWN


def _first_due(connection: Connection, edition_id: str | None, state: DeliveryState) -> datetime | None:
    first = (
        select(func.min(DeliveryRow.due_at))
        .where(DeliveryRow.edition_id == EditionRow.id, DeliveryRow.state == state)
        .scalar_subquery()
    )
    approved = select(func.min(first)).where(EditionRow.state == EditionState.APPROVED)
    if edition_id is not None:
        approved = approved.where(EditionRow.id == edition_id)
    return connection.scalar(approved)


def _count_sending(connection: Connection, book: Book, which: ColumnElement[bool]) -> int:
    sending = select(func.count()).where(leased(book.table), book.table.c.state == DeliveryState.SENDING, which)
    return connection.scalar(sending) or 0
