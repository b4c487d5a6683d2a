"""Why people leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from newsletter.model.subscriber import Departure


@dataclass(frozen=True, slots=True, kw_only=True)
class Departed:
    """How many people left a list in a month (`2026-11`) for a reason, and what they said, oldest first."""

    list_id: str
    month: str
    reason: Departure
    many: int
    words: tuple[str, ...] = ()


class Departures(Protocol):
    """Why people left, kept without whose reasons they are."""

    def note(self, list_id: str, reason: Departure, *, words: str, now: datetime) -> None:
        """Count one, and keep the words if there are any."""

    def prune(self, *, now: datetime) -> int:
        """Forget words from more than a year ago, not their counts; returns how many."""

    def listed(self) -> tuple[Departed, ...]:
        """All of it, by list and month, most frequent first."""
