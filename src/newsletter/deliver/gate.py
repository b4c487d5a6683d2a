"""Which relays are fit for work, and whose turn it is. Pure: time comes in as seconds of any steady clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 60.0
_MOST_DOUBLINGS: Final = 7
REFUSED_PAUSE: Final = 300.0
"""Somebody has to mend something: more than a few tries an hour would only use deliveries up."""
_FIRST_SHARE: Final = 8
_BACK_AFTER: Final = 10.0
PATIENCE: Final = 4
"""Failures in a row after which a relay counts as unreachable: about four seconds."""


@dataclass(slots=True, kw_only=True)
class Gate:
    """The health of one relay. After a failure it is paused, longer each time, and then tried by one lane alone.

    When it answers it is coming back: beside others it carries a few messages at first, and twice as many with each
    second. After a failure in that time the pauses go on where they were.

    It outlives a run: the next one neither knocks sooner nor begins with short pauses again.
    """

    failures: int = 0
    because: str = ""
    """Why it failed last."""
    _opens_at: float = 0.0
    _probed: bool = False
    _back_at: float | None = None
    _before: int = 0
    _carried: int = 0

    @property
    def is_coming_back(self) -> bool:
        """Whether it failed lately."""
        return self._back_at is not None

    @property
    def unreachable(self) -> bool:
        """Whether it failed so often that there is no point in waiting for it."""
        return self.failures >= PATIENCE

    def is_hopeless(self, now: float) -> bool:
        """Whether it is unreachable and not even to be tried at present."""
        return self.unreachable and now < self._opens_at

    def opens_in(self, now: float) -> float:
        """How long it is still paused; 0 if it is not."""
        return max(0.0, self._opens_at - now) if self.failures else 0.0

    def admits(self, now: float) -> bool:
        """Whether a lane may take work for this relay."""
        return not self.failures or (now >= self._opens_at and not self._probed)

    def enter(self) -> bool:
        """Take work for the relay. True if this is the one try that a relay in doubt is given."""
        self._probed = self.failures > 0
        return self._probed

    def leave(self) -> None:
        """Give the try back unused."""
        self._probed = False

    def succeed(self, now: float) -> None:
        """It answered, after failures."""
        self._before, self._back_at, self._carried = self.failures + self._before, now, 0
        self.failures = 0
        self._probed = False

    def refuse(self, now: float, *, because: str) -> float | None:
        """It answers, and refuses everybody: how long it is paused now. It counts as unreachable.

        None where that was known already.
        """
        if self.is_hopeless(now):
            return None
        self.failures = max(self.failures, PATIENCE)
        self.because = because
        self._opens_at = now + REFUSED_PAUSE
        self._probed = False
        return REFUSED_PAUSE

    def may_carry(self, now: float) -> bool:
        """Whether one that is coming back may have another message yet."""
        self._forget(now)
        return self._back_at is None or self._carried < _FIRST_SHARE * 2 ** (now - self._back_at)

    def took(self) -> None:
        """It was given a message."""
        self._carried += 1

    def fail(self, now: float, *, probe: bool, because: str) -> float | None:
        """It could not be spoken to: how long it is paused now. None where that was known already.

        All lanes of a relay lose it together; that is one failure.
        """
        if self.failures and not probe:
            return None
        self._forget(now)
        pause = min(_FIRST_PAUSE * 2.0 ** min(self.failures + self._before, _MOST_DOUBLINGS), _LONGEST_PAUSE)
        self.failures += 1
        self._back_at = None
        self.because = because
        self._opens_at = now + pause
        self._probed = False
        return pause

    def _forget(self, now: float) -> None:
        """Count it as one that always worked if it is back for long enough."""
        if self._back_at is not None and now - self._back_at > _BACK_AFTER:
            self._back_at, self._before = None, 0


def new_gates(relays: Iterable[str]) -> dict[str, Gate]:
    """Gates of relays, by name, of which nothing is known."""
    return {relay: Gate() for relay in relays}


class Rota:
    """Shares messages out among relays by weight. Where all weights are equal, whoever is free takes the next.

    `slack` is how many messages a relay may be ahead of its share, so that no lane waits for another's single message.
    """

    __slots__ = ("_slack", "_taken", "_weights", "shares")

    def __init__(self, weights: Mapping[str, int], *, slack: int = 8) -> None:
        self._weights = dict(weights)
        self._slack = slack
        self.shares = len(set(weights.values())) > 1
        self._taken = dict.fromkeys(weights, 0.0)

    def may_take(self, relay: str, among: frozenset[str]) -> bool:
        """Whether it is this relay's turn, if those are the ones at work."""
        others = among - {relay}
        if not others or not self.shares:
            return True
        least = min(self._taken[other] / self._weights[other] for other in others)
        return self._taken[relay] - self._slack < least * self._weights[relay]

    def took(self, relay: str) -> None:
        """Note that a relay took a message."""
        self._taken[relay] += 1

    def rejoin(self, relay: str, among: frozenset[str]) -> None:
        """Let a relay that was away start level with the others, not make up for what they did meanwhile."""
        others = among - {relay}
        if others:
            least = min(self._taken[other] / self._weights[other] for other in others)
            self._taken[relay] = max(self._taken[relay], least * self._weights[relay])
