"""Counting outcomes while a run goes on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from newsletter.model.delivery import Claimed, DeliveryState, LedgerKind, Tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a run did. Only outcomes that are safely in the ledger are counted."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0
    returned: int = 0
    """Back in the queue, because no relay could be spoken to."""
    dropped: int = 0
    """Leased, and then no longer ours to send: paused, cancelled, the reader had left, the lease had run out."""
    editions: tuple[str, ...] = ()
    """Editions of which at least one delivery was leased, in the order of their first."""
    because: str | None = None
    """Why the run ended before all that was due was tried; None if all was."""
    alarms: tuple[str, ...] = ()
    """What was stopped because it is our own fault, each in words."""
    unfit: tuple[str, ...] = ()
    """Relays that are paused."""

    @property
    def tried(self) -> int:
        """How many attempts have an outcome."""
        return self.sent + self.deferred + self.failed + self.unknown


class Tally:
    """Adds up to Counts."""

    def __init__(self) -> None:
        self._states: Counter[DeliveryState] = Counter()
        self._dropped: Counter[tuple[LedgerKind, int]] = Counter()
        self._editions: dict[str, None] = {}

    def leased(self, claimed: tuple[Claimed, ...]) -> None:
        """Note which editions are worked on."""
        self._editions |= {one.batch: None for one in claimed if one.ledger is LedgerKind.EDITION}

    def recorded(self, tried: Tried) -> None:
        """Count an outcome that is kept."""
        self._states[tried.state] += 1

    def dropped(self, claimed: Claimed) -> None:
        """Count a delivery that was no longer ours."""
        self._dropped[claimed.ledger, claimed.id] += 1

    def drops(self, claimed: Claimed) -> int:
        """How often this delivery was dropped."""
        return self._dropped[claimed.ledger, claimed.id]

    def counts(self, *, because: str | None = None) -> Counts:
        """All of it until now."""
        return Counts(
            sent=self._states[DeliveryState.SENT],
            deferred=self._states[DeliveryState.DEFERRED],
            failed=self._states[DeliveryState.FAILED],
            unknown=self._states[DeliveryState.UNKNOWN],
            returned=self._states[DeliveryState.QUEUED],
            dropped=self._dropped.total(),
            editions=tuple(self._editions),
            because=because,
        )
