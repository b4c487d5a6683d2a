"""How fast a provider may be written to after it has asked for patience: halved at once, given back slowly. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_FIRST_REST: Final = timedelta(minutes=1)
_LONGEST_REST: Final = timedelta(minutes=30)
_FIRST_PAUSE: Final = timedelta(hours=1)
LONGEST_PAUSE: Final = timedelta(hours=12)
_MOST_DOUBLINGS: Final = 10
_REMEMBERED: Final = timedelta(hours=1)
"""After so long without a complaint the next one is the first again."""
_MINUTES_TO_FULL: Final = 20
"""What was halved is whole again after half of that."""
_LEAST: Final = 1.0
WRONG_CLOCK: Final = timedelta(minutes=1)
"""What was written so far ahead was written by a clock that was wrong."""
SLOWEST_START: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowdown:
    """A provider that asked for patience. Rates are messages a minute.

    It gets nothing until `closed_until`, then `rate`, and more with each minute, until it is back at `full_rate`.
    """

    provider: str
    rate: float
    full_rate: float
    slowed_at: datetime
    closed_until: datetime
    complaints: int
    """In a row, none an hour after the one before."""
    because: str


def slower(before: Slowdown | None, *, provider: str, rate: float, because: str, now: datetime) -> Slowdown:
    """What to remember when a provider asks for patience; `rate` is what it got, where nothing held it back so far.

    Many say the same at once, about what was on its way already: that is one complaint.
    """
    before = _believed(before, now)
    if before is not None and now < before.closed_until:
        return before
    lately = before is not None and now - before.closed_until < _REMEMBERED
    complaints = before.complaints + 1 if before is not None and lately else 1
    so_far = (rate_at(before, now) if before else None) or rate
    rest = min(_FIRST_REST * 2 ** min(complaints - 1, _MOST_DOUBLINGS), _LONGEST_REST)
    return Slowdown(
        provider=provider,
        rate=max(so_far / 2, _LEAST),
        full_rate=max(before.full_rate if before is not None and lately else so_far, _LEAST),
        slowed_at=now,
        closed_until=now + rest,
        complaints=complaints,
        because=because,
    )


def paused(before: Slowdown | None, *, provider: str, because: str, now: datetime) -> Slowdown:
    """What to remember when a provider takes nothing from us: nothing goes to it for an hour, and then a few to try.

    Twice as long each time that these are refused too, up to half a day.
    """
    before = _believed(before, now)
    lately = before is not None and now - before.closed_until < _REMEMBERED
    complaints = before.complaints + 1 if before is not None and lately else 1
    rest = min(_FIRST_PAUSE * 2 ** min(complaints - 1, _MOST_DOUBLINGS), LONGEST_PAUSE)
    if before is not None and now < before.closed_until and before.because == because:
        return before
    return Slowdown(
        provider=provider,
        rate=_LEAST,
        full_rate=before.full_rate if before is not None and lately else SLOWEST_START,
        slowed_at=now,
        closed_until=now + rest,
        complaints=complaints,
        because=because,
    )


def _believed(slowdown: Slowdown | None, now: datetime) -> Slowdown | None:
    """None for one from the future: a clock that ran ahead must not keep a provider from its mail for days."""
    return None if slowdown is None or slowdown.slowed_at > now + WRONG_CLOCK else slowdown


def rate_at(slowdown: Slowdown, now: datetime) -> float | None:
    """What the provider gets now: 0 while it rests, None when it is over.

    It grows by the clock and not by what is accepted, so that every worker knows it without being told.
    """
    if _believed(slowdown, now) is None:
        return None
    if now < slowdown.closed_until:
        return 0.0
    minutes = (now - slowdown.closed_until) / timedelta(minutes=1)
    rate = slowdown.rate + slowdown.full_rate / _MINUTES_TO_FULL * minutes
    return rate if rate < slowdown.full_rate else None


SPACING_SLACK: Final = timedelta(milliseconds=250)
"""How late a turn may be used. Two that are used late and early are that much closer together."""
_MINUTE: Final = timedelta(minutes=1)


def spacing(per_minute: float) -> timedelta:
    """The time from one turn to the next, such that no minute ever sees more than the rate."""
    return (_MINUTE + SPACING_SLACK) / per_minute + timedelta.resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """How a worker deals with providers that are held back."""

    provider_of: Callable[[str], str]
    """The provider of an address."""
    until: Mapping[str, datetime]
    """Those whose deliveries get in line; at this time one comes out by itself, for the case that nobody asks."""
    takes: Mapping[str, int]
    """From whose lines deliveries are wanted now, and how many from each at most."""
