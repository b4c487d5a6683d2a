"""Whom nobody writes to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from newsletter.model.subscriber import (
    Suppression,
)


class Suppressions(Protocol):
    """Who is never mailed, as a list, and the rules for whole domains."""

    def listed(self) -> Iterator[tuple[Suppression, str | None]]:
        """Every suppressed address by its hash, oldest first, with the address itself while the person is known."""

    def domains(self) -> tuple[Suppression, ...]:
        """The rules for domains, by their pattern."""

    def add_domain(self, pattern: str, *, reason: str, now: datetime) -> bool:
        """Write to nobody at this domain (`example.org`), or to nobody below it (`*.example.org`).

        A rule is asked when somebody is added and when a message is about to go out; it moves no subscription, so that
        lifting it leaves everybody where they were. False if there is one already.
        """

    def lift_domain(self, pattern: str) -> bool:
        """Take a rule back; False if there was none."""
