"""When refusals that are our own fault are enough to stop: each is a vote, and one stray reply stops nothing. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from newsletter.model.blame import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something has to stop, and the operator has to know. `whom` is a relay's, a provider's or an edition's name."""

    step: Step
    whom: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Majority:
    """How many votes are enough: so many, and such a share of the last answers (from the first vote on)."""

    votes: int
    share: float
    among: int


MAJORITIES: Final[Mapping[Step, Majority]] = {
    # A relay that refuses everybody is not asked about a fourth.
    Step.PAUSE_RELAY: Majority(votes=3, share=1.0, among=3),
    Step.PAUSE_PROVIDER: Majority(votes=3, share=0.5, among=20),
    # One provider's taste is no reason to stop an edition for all; a fifth of all readers is.
    Step.PAUSE_EDITION: Majority(votes=5, share=0.2, among=50),
}


class Ballot:
    """Counts votes by whom they are about. Nobody is remembered before there is a vote against them."""

    def __init__(self) -> None:
        self._last: dict[tuple[Step, str], deque[bool]] = {}

    @property
    def is_open(self) -> bool:
        """Whether there is any vote: until then answers need not be shown."""
        return bool(self._last)

    def cast(self, vote: Step, *, about: Mapping[Step, str], because: str) -> Alarm | None:
        """Count an answer. `about` says whom a vote of each kind would be against; an alarm begins the count anew."""
        for step, whom in about.items():
            if step is not vote and (last := self._last.get((step, whom))) is not None:
                last.append(False)
        if vote not in about:
            return None
        majority, key = MAJORITIES[vote], (vote, about[vote])
        last = self._last.setdefault(key, deque(maxlen=majority.among))
        last.append(True)
        votes = sum(last)
        if votes < majority.votes or votes < majority.share * len(last):
            return None
        del self._last[key]
        return Alarm(step=vote, whom=about[vote], because=because)
