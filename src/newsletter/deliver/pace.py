"""How fast one relay is fed. Pure: time comes in as seconds of any steady clock."""

from __future__ import annotations


class Pace:
    """A token bucket of so many messages a minute, which holds one second's worth."""

    __slots__ = ("_burst", "_interval", "_next")

    def __init__(self, per_minute: float) -> None:
        self._interval = 60 / per_minute
        self._burst = max(0.0, 1.0 - self._interval)
        self._next = 0.0

    def wait(self, now: float) -> float:
        """How many seconds until the next message may go."""
        return max(0.0, self._next - self._burst - now)

    def took(self, now: float) -> None:
        """Note that one goes."""
        self._next = max(self._next, now) + self._interval
