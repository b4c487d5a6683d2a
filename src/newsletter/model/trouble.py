"""How much trouble a mailbox has been lately: a score that goes up with each failed delivery and halves with time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

HALF_LIFE: Final = timedelta(days=30)
"""Long enough that a weekly letter adds up (to 4 with the sixth), short enough that a bad month is forgotten."""
ENOUGH: Final = 4.0
AT_LEAST: Final = timedelta(days=14)
_FORGOTTEN: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """The `score` as it was `at` the last failure of a row that began at `since`."""

    score: float
    since: datetime
    at: datetime


def more_trouble(before: Trouble | None, *, at: datetime) -> Trouble:
    """What is to be remembered after one more delivery failed for mailbox trouble.

    Reports come late and out of order: one that is older than the last counts for what is left of it.
    """
    if before is None or score(before, now=at) < _FORGOTTEN:
        return Trouble(score=1.0, since=at, at=at)
    latest = max(before.at, at)
    left = 0.5 ** ((latest - at) / HALF_LIFE)
    if left < _FORGOTTEN:
        return before
    return Trouble(score=score(before, now=latest) + left, since=min(before.since, at), at=latest)


def score(trouble: Trouble, *, now: datetime) -> float:
    """What is left of the score."""
    return float(trouble.score * 0.5 ** (max(now - trouble.at, timedelta()) / HALF_LIFE))


def enough(trouble: Trouble, *, now: datetime) -> bool:
    """Whether to stop mailing. Never within two weeks, whatever the rhythm: people go on holiday."""
    return trouble.at - trouble.since >= AT_LEAST and score(trouble, now=now) >= ENOUGH
