"""How fast messages may go, shared with all other senders: turns of a rate, and what a day allows.

What a worker may use is taken from the store ahead of time, in small batches, and used in time or lost. Nothing here
waits: who asks is told how long to wait, and the pacer is told that more is wanted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from math import ceil
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from newsletter.model.pacing import SPACING_SLACK, spacing
from newsletter.model.settings import Relay
from newsletter.store.ports import Pacing

SOON: Final = 0.02
"""Seconds after which to ask again where more is on its way."""
TICK: Final = 0.002
"""A timer may ring so much too early, and nobody would look again."""
_AHEAD: Final = timedelta(seconds=0.5)
_SLACK: Final = SPACING_SLACK.total_seconds()
_LONGEST_WAIT: Final = 1.0
"""Seconds after which to see whether a turn has become free: others may have taken it, the rate may have changed."""
_CHUNKS_A_DAY: Final = 20
_LARGEST_CHUNK: Final = 100


class Source(Protocol):
    """Something of which only so much may be used. Seconds are of the event loop's clock."""

    def wait(self, now: float) -> float:
        """How long until the next may go; 0 for now."""

    def took(self, now: float) -> None:
        """One goes."""

    def fetch(self, store: Pacing, *, now: datetime, at: float) -> Callable[[], None]:
        """Take more from the store, in a thread; what is returned makes it known, in the event loop."""


class Turns:
    """Turns of one rate. `rate` says how many messages a minute, and may change: 0 is none, None is any number."""

    def __init__(self, scope: str, rate: Callable[[], float | None], *, want: Callable[[Source], None]) -> None:
        self._scope = scope
        self._rate = rate
        self._want = want
        self._held: deque[float] = deque()
        self._free_at = 0.0
        """When there may be one in the store, as far as is known."""

    def wait(self, now: float) -> float:
        held = self._held
        while held and held[0] < now - _SLACK:
            held.popleft()
        if not held:
            if now < self._free_at:
                return self._free_at - now
            self._want(self)
            return SOON
        return max(0.0, held[0] - now)

    def took(self, now: float) -> None:
        del now
        self._held.popleft()
        if len(self._held) == 1:
            self._want(self)

    def fetch(self, store: Pacing, *, now: datetime, at: float) -> Callable[[], None]:
        rate = self._rate()
        if rate is None:
            return lambda: self._add([at] * _LARGEST_CHUNK, free_at=0.0)
        if rate <= 0:
            return lambda: self._add([], free_at=at + _LONGEST_WAIT)
        every = spacing(rate)
        first, many = store.turns(self._scope, wanted=ceil(_AHEAD / every), every=every, ahead=_AHEAD, now=now)
        times = [at + (first + number * every - now).total_seconds() for number in range(many)]
        free_at = at + min((first - now).total_seconds(), _LONGEST_WAIT)
        return lambda: self._add(times, free_at=0.0 if times else free_at)

    def drop(self) -> None:
        """Use none of what was taken so far."""
        self._held.clear()

    def _add(self, times: Sequence[float], *, free_at: float) -> None:
        self._held.extend(times)
        self._free_at = free_at


class Allowance:
    """What a relay that warms up may send today, by the publication's clock."""

    def __init__(self, relay: Relay, *, zone: ZoneInfo, want: Callable[[Source], None]) -> None:
        self.relay = relay
        self._zone = zone
        self._want = want
        self._day: tuple[date, datetime] | None = None
        self._left: float = 0
        self._because: str | None = None
        self._over_at = 0.0

    def because(self, now: float) -> str | None:
        """Why nothing is left today, if nothing is."""
        return self._because if now < self._over_at else None

    def wait(self, now: float) -> float:
        if now >= self._over_at:
            self._left = 0
        if self._left >= 1:
            return 0.0
        if self.because(now) is not None:
            return self._over_at - now
        self._want(self)
        return SOON

    def took(self, now: float) -> None:
        del now
        self._left -= 1

    def fetch(self, store: Pacing, *, now: datetime, at: float) -> Callable[[], None]:
        day, ends_at = today = local_day(now, self._zone)
        ceiling, many = ceiling_on(self.relay, day), float("inf")
        if ceiling is not None:
            wanted = max(1, min(_LARGEST_CHUNK, ceiling // _CHUNKS_A_DAY))
            many = store.take_of_day(scope_of(self.relay), day, wanted=wanted, limit=ceiling, ends_at=ends_at)

        def known() -> None:
            self._left = many if self._day != today else self._left + many
            self._day, self._over_at = today, at + (ends_at - now).total_seconds()
            self._because = None if self._left >= 1 else why_spent(self.relay, ceiling or 0, ends_at)

        return known

    def give_back(self, store: Pacing) -> None:
        """Leave to others what was taken and not used."""
        if self._day is None or not 0 < self._left < float("inf"):
            return
        day, ends_at = self._day
        ceiling = ceiling_on(self.relay, day) or 0
        store.take_of_day(scope_of(self.relay), day, wanted=-int(self._left), limit=ceiling, ends_at=ends_at)
        self._left = 0


class Together:
    """Several sources of which each message takes one."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def wait(self, now: float) -> float:
        """How long until all have one."""
        return max(source.wait(now) for source in self._sources)

    def took(self, now: float) -> None:
        """Take one of each."""
        for source in self._sources:
            source.took(now)


def ceiling_on(relay: Relay, day: date) -> int | None:
    """The most a relay may send on a day; None if it is warm, 0 before its first day."""
    if relay.warm_up_from is None or not relay.warm_up:
        return None
    number = (day - relay.warm_up_from).days
    if number < 0:
        return 0
    return relay.warm_up[number] if number < len(relay.warm_up) else None


def local_day(now: datetime, zone: ZoneInfo) -> tuple[date, datetime]:
    """The day by a zone's clock, and when it ends by that clock."""
    day = now.astimezone(zone).date()
    return day, datetime.combine(day + timedelta(days=1), time(), zone)


def scope_of(relay: Relay) -> str:
    """The name under which a relay's days are counted."""
    return f"warm-up/{relay.name}"


def why_spent(relay: Relay, ceiling: int, ends_at: datetime) -> str:
    """What a report says of a relay that has sent what its day allows; `ends_at` is by the publication's clock."""
    return f"relay {relay.name} warms up: no more than {ceiling} today, it goes on at {ends_at:%Y-%m-%d %H:%M %Z}"
