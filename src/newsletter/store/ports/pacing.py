"""What may be done how often."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Protocol

from newsletter.model.pacing import Slowdown


class Limits(Protocol):
    """Counted windows, shared by all processes (sign-up floods, confirmation letters)."""

    def take(self, key: str, *, limit: int, window: timedelta, now: datetime) -> bool:
        """True if `key` was taken fewer than `limit` times in the current window; counts the take."""

    def prune(self, *, now: datetime) -> int:
        """Forget windows that are over; returns how many."""


class Pacing(Protocol):
    """What all senders together may send: turns, days' allowances, and providers that asked for patience."""

    def turns(
        self, scope: str, *, wanted: int, every: timedelta, ahead: timedelta, now: datetime
    ) -> tuple[datetime, int]:
        """Take turns of a shared rate, one `every` so often: when the first is, and how many there are.

        None is later than `ahead` from now. Nobody else gets them, whether they are used or not; with none at all,
        the time is that at which the next is free.
        """

    def take_of_day(self, scope: str, day: date, *, wanted: int, limit: int, ends_at: datetime) -> int:
        """Take up to `wanted` of the `limit` that a day has; returns how many. A negative number gives back."""

    def taken_of_day(self, scope: str, day: date) -> int:
        """How many of the day's were taken."""

    def slow(self, provider: str, *, rate: float, because: str, now: datetime) -> Slowdown:
        """Note that a provider asked for patience, and return what it gets from now on."""

    def pause(self, provider: str, *, because: str, now: datetime) -> Slowdown:
        """Note that a provider takes nothing from us, and return what it gets from now on: nothing, for a while."""

    def resume(self, provider: str) -> bool:
        """Forget that a provider asked for patience or refused us; False if it did not. What stands in line for it
        is due again.
        """

    def slowdowns(self) -> tuple[Slowdown, ...]:
        """Every provider that asked for patience lately."""

    def prune(self, *, now: datetime) -> int:
        """Forget slowdowns that have long been over; returns how many."""
