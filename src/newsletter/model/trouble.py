"""How much trouble a mailbox has been lately: a score that goes up with each failed delivery and halves with time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

REPORTED_WITHIN: Final = timedelta(days=5)
"""After so long no report of failure comes any more for what a relay took (RFC 5321 section 4.5.4.1)."""
_FORGOTTEN: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How much trouble is enough: a score of `threshold`, and never before it has gone on for `at_least`.

    The half-life is long enough that a weekly letter adds up (to 4 with the sixth), short enough that a bad month is
    forgotten. People go on holiday, so two weeks are the least, whatever the rhythm.
    """

    threshold: int = 4
    half_life: timedelta = timedelta(days=30)
    at_least: timedelta = timedelta(days=14)


PATIENCE: Final = Patience()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """The `score` as it was `at` the last failure of a row that began at `since`."""

    score: float
    since: datetime
    at: datetime


def more_trouble(before: Trouble | None, *, at: datetime, patience: Patience = PATIENCE) -> Trouble:
    """What is to be remembered after one more delivery failed for mailbox trouble.

    Reports come late and out of order: one that is older than the last counts for what is left of it.
    """
    if before is None or score(before, now=at, patience=patience) < _FORGOTTEN:
        return Trouble(score=1.0, since=at, at=at)
    latest = max(before.at, at)
    left = 0.5 ** ((latest - at) / patience.half_life)
    if left < _FORGOTTEN:
        return before
    return Trouble(score=score(before, now=latest, patience=patience) + left, since=min(before.since, at), at=latest)


def score(trouble: Trouble, *, now: datetime, patience: Patience = PATIENCE) -> float:
    """What is left of the score."""
    return float(trouble.score * 0.5 ** (max(now - trouble.at, timedelta()) / patience.half_life))


def enough(trouble: Trouble, *, now: datetime, patience: Patience = PATIENCE) -> bool:
    """Whether to stop mailing."""
    return (
        trouble.at - trouble.since >= patience.at_least
        and score(trouble, now=now, patience=patience) >= patience.threshold
    )
