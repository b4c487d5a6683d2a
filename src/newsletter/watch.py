"""What whoever watches is told: how far sending is, what is held back or paused, and whether all is well."""

from __future__ import annotations

from newsletter.model.clock import Clock
from newsletter.model.delivery import DeliveryState
from newsletter.model.edition import EditionState
from newsletter.model.pacing import rate_at
from newsletter.store.ports import Census, Editions, Feeds, Hubs, Ledger, Pacing


class Watch:
    """Looks, and changes nothing."""

    def __init__(
        self,
        *,
        feeds: Feeds,
        hubs: Hubs,
        editions: Editions,
        ledger: Ledger,
        pacing: Pacing,
        census: Census,
        clock: Clock,
    ) -> None:
        self._feeds = feeds
        self._hubs = hubs
        self._editions = editions
        self._ledger = ledger
        self._pacing = pacing
        self._census = census
        self._clock = clock

    def waiting(self, edition_id: str | None = None) -> int:
        """How many deliveries of an edition, or of all that go, are queued or deferred; reads as many."""
        going = (
            [edition_id] if edition_id else [e.id for e in self._editions.listed() if e.state is EditionState.APPROVED]
        )
        counts = [self._census.deliveries(each) for each in going]
        return sum(count.get(state, 0) for count in counts for state in (DeliveryState.QUEUED, DeliveryState.DEFERRED))

    def slowest(self) -> str:
        """The provider that is held back the most, in words; empty if none is."""
        now = self._clock.now()
        rates = ((rate_at(each, now), each.provider) for each in self._pacing.slowdowns())
        held = min(((rate, provider) for rate, provider in rates if rate is not None), default=None)
        return f"slowest: {held[1]}, {held[0]:,.0f}/min" if held else ""

    def healthy(self) -> dict[str, object]:
        """What the operator's probe is told; StoreError if the store cannot be asked."""
        failing = [health.failures > 0 for health in self._feeds.each_health()]
        next_due_at = self._ledger.next_due_at()
        return {
            "ok": True,
            "feeds": len(failing),
            "feeds_failing": sum(failing),
            "hubs_live": sum(each.is_live(self._clock.now()) for each in self._hubs.listed()),
            "next_delivery_at": next_due_at.isoformat() if next_due_at else None,
        }

    def alarms(self) -> tuple[str, ...]:
        """What is paused at present, each in words: editions, and providers that are left alone."""
        paused = [each for each in self._editions.listed() if each.state is EditionState.PAUSED]
        closed = [each for each in self._pacing.slowdowns() if rate_at(each, self._clock.now()) == 0]
        return (
            *(f"edition {each.id} is paused: {each.state_because}" for each in paused),
            *(f"provider {each.provider} gets nothing before {each.closed_until}: {each.because}" for each in closed),
        )
