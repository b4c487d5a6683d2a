"""Deliveries and letters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Protocol

from newsletter.model.delivery import Claimed, DeliveryKey, DeliveryState, LedgerKind, Tried
from newsletter.model.message import LetterKind
from newsletter.model.pacing import Lines


class Ledger(Protocol):
    """Deliveries of editions, and letters: one row each, one set of moves, one fence."""

    @property
    def answer_within(self) -> timedelta:
        """How long what was begun stays its worker's."""

    def recover(self, *, now: datetime, alone: bool) -> tuple[int, int]:
        """Set right what a dead worker left: begun deliveries become unknown, leases of the rest end.

        With `alone` (we hold the site's lock) every lease is a dead one's; otherwise only those that ran out are.
        What a clock far ahead has leased or put off, for longer than anything waits, is due now.
        Returns (unknown, requeued).
        """

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
        """Lease up to `limit` due deliveries, letters first, then editions in turn, each the same number.

        With `lines`, what is for a provider that is held back gets in line for it and is leased from there, so that
        nobody behind it waits; it stays queued or deferred as it was.
        Those whose subscriber is no longer active (left, suppressed, erased) become suppressed instead and are not
        returned.
        """

    def begin(self, claimed: Claimed, *, now: datetime) -> Future[bool]:
        """Mark a delivery as begun, durably, before its first byte goes out.

        False if it is no longer ours to send: lease lost, edition paused or cancelled, subscriber gone.
        Writers are grouped: one thread, one transaction for all that wait.
        """

    def record(self, tried: Tried, *, now: datetime) -> Future[bool]:
        """Keep an outcome durably. False if the fence no longer fits."""

    def begin_all(self, claimed: Sequence[Claimed], *, now: datetime) -> Future[tuple[bool, ...]]:
        """`begin` for several, in one transaction and one future."""

    def record_all(self, tried: Sequence[Tried], *, now: datetime) -> Future[tuple[bool, ...]]:
        """`record` for several, in one transaction and one future."""

    def settle(
        self, owner: str, *, answered: Sequence[Tried], started: Collection[DeliveryKey], whole: bool, now: datetime
    ) -> tuple[int, int, int]:
        """Set right what a dead worker left, by its journal.

        What it says was answered gets that outcome. Of the rest that was begun, what it says was started is unknown
        and, if it is `whole`, what it does not is queued again; if not, all of it is unknown. Leases end.
        Returns (outcomes found, unknown, requeued).
        """

    def release(self, owner: str) -> int:
        """Give back what was claimed by `owner` and not begun."""

    def line_up(self, claimed: Collection[Claimed], lines: Lines) -> int:
        """Give leased deliveries back, into the line for their provider; returns how many were still theirs."""

    def next_due_at(self, *, edition_id: str | None = None) -> datetime | None:
        """When the next queued or deferred delivery that may be sent is due; None if there is none."""

    def in_flight(self, *, edition_id: str | None = None) -> int:
        """How many deliveries are begun and not answered, by anybody."""

    def resend(self, edition_id: str, states: Collection[DeliveryState], *, now: datetime) -> int:
        """Queue deliveries in these states (deferred, failed, unknown) again; returns how many. Reopens a
        finished edition.
        """

    def requeue_unknown(self, *, now: datetime) -> int:
        """For `deliver.unknown = "resend"`: queue every unknown delivery again."""

    def prune(self, *, now: datetime) -> int:
        """Forget how much trouble mailboxes were long ago; returns how many."""

    def totals(self, kind: LedgerKind) -> Mapping[DeliveryState, int]:
        """How many rows are in each state."""


class Letters(Protocol):
    """Single mails that wait to be sent."""

    def enqueue(self, kind: LetterKind, subscription_id: int, *, key: str, now: datetime) -> bool:
        """Queue a letter; False if one with this key was ever queued."""
