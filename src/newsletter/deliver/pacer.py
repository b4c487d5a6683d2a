"""Keeping to rates: of all relays together, of each relay, of each receiving provider, and what a day allows.

Where nothing limits anything no message costs any work here. A provider that asks for patience is left alone for a
while by all workers, and its deliveries stand in a line of their own, so that nobody waits behind them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from math import ceil
from typing import Final

import structlog

from newsletter.deliver.turns import Allowance, Source, Together, Turns
from newsletter.model.clock import Clock
from newsletter.model.pacing import SLOWEST_START, Lines, Slowdown, paused, rate_at, slower
from newsletter.model.providers import Providers
from newsletter.model.settings import Paces, Relay
from newsletter.store.ports import Pacing
from newsletter.store.seam import in_thread

log = structlog.get_logger()

_LEASED_SECONDS: Final = 2.0
"""How much of what a provider gets is leased at a time."""
_REFRESH_SECONDS: Final = 1.0
_OUT_OF_LINE: Final = timedelta(minutes=15)
_LINES_LAST: Final = timedelta(hours=1)
"""How long a line is looked after when its slowdown is over; what is left in it then comes out by itself."""
_MOST_FROM_LINE: Final = 100


class Pacer:
    """What a run may send, and when. It lives in the event loop; what it asks of the store goes to a thread."""

    def __init__(self, store: Pacing, *, relays: Sequence[Relay], paces: Paces, clock: Clock) -> None:
        self.provider_of = Providers(paces.providers).of
        self.on_turn: Callable[[], None] = lambda: None
        """Called when there may be a turn for somebody who waits."""
        self.throughput: Callable[[], float] = lambda: SLOWEST_START
        """Messages a minute that this run sends."""
        self.on_spent: Callable[[], None] = lambda: None
        """Called when a relay may not send any more today."""
        self._store = store
        self._clock = clock
        self._rates = {each.name: each.rate_per_minute for each in paces.providers if each.rate_per_minute}
        self._slowdowns: dict[str, Slowdown] = {}
        self._complaints: dict[str, tuple[float, str]] = {}
        self._wanted: dict[Source, None] = {}
        self._work = asyncio.Event()
        self._refresh_at = 0.0
        self._providers: dict[str, Turns] = {}
        self._allowances = [Allowance(relay, zone=paces.zone, want=self._want) for relay in relays if relay.warm_up]
        in_all: list[Source] = self._rated("all", paces.rate_per_minute)
        warming = {each.relay.name: each for each in self._allowances}
        self._relays = {
            relay.name: [
                *in_all,
                *self._rated(f"relay/{relay.name}", relay.rate_per_minute),
                *([warming[relay.name]] if relay.name in warming else []),
            ]
            for relay in relays
        }

    def _rated(self, scope: str, rate: float | None) -> list[Source]:
        return [Turns(scope, lambda: rate, want=self._want)] if rate else []

    # What it does by itself

    async def run(self) -> None:
        """Take from the store what is asked for, until cancelled. StoreError if it cannot be asked."""
        while True:
            await self._work.wait()
            self._work.clear()
            wanted, self._wanted = self._wanted, {}
            for provider, (rate, because) in tuple(self._complaints.items()):
                now = self._clock.now()
                self._learn(await in_thread(self._store.slow, provider, rate=rate, because=because, now=now))
                del self._complaints[provider]
            for source in wanted:
                await self._fetch(source)
            self.on_turn()

    async def opening(self) -> None:
        """Learn what the day allows and whom others found slow."""
        for allowance in self._allowances:
            await self._fetch(allowance)
        await self.refresh()

    async def refresh(self) -> None:
        """Learn which providers other workers found slow, now and then."""
        now = asyncio.get_running_loop().time()
        if now < self._refresh_at:
            return
        self._refresh_at = now + _REFRESH_SECONDS
        found = {each.provider: each for each in await in_thread(self._store.slowdowns)}
        # What was heard here and is not written yet is later than what the store says.
        self._slowdowns = found | {name: self._slowdowns[name] for name in self._complaints}

    async def close(self) -> None:
        """Give back what a day allows and was not used."""
        for allowance in self._allowances:
            await in_thread(allowance.give_back, self._store)

    def _want(self, source: Source) -> None:
        self._wanted[source] = None
        self._work.set()

    async def _fetch(self, source: Source) -> None:
        at = asyncio.get_running_loop().time()
        known = await in_thread(source.fetch, self._store, now=self._clock.now(), at=at)
        known()
        if self.spent():
            self.on_spent()

    # Relays

    def of_relay(self, name: str) -> Together | None:
        """What each message over this relay takes a turn of; None if nothing limits it."""
        sources = self._relays[name]
        return Together(sources) if sources else None

    def spent(self) -> dict[str, str]:
        """Relays that may not send any more today, each with the reason."""
        now = asyncio.get_running_loop().time()
        return {each.relay.name: why for each in self._allowances if (why := each.because(now))}

    # Providers

    def rate_of(self, provider: str) -> float | None:
        """Messages a minute that a provider gets now; None where it is not limited."""
        slowdown = self._slowdowns.get(provider)
        rates = self._rates.get(provider), rate_at(slowdown, self._clock.now()) if slowdown else None
        return min((rate for rate in rates if rate is not None), default=None)

    def is_held(self, provider: str) -> bool:
        """Whether a provider's messages need turns."""
        return (provider in self._rates or provider in self._slowdowns) and self.rate_of(provider) is not None

    def holds_any(self) -> bool:
        """Whether any provider's messages may need turns."""
        return bool(self._rates or self._slowdowns)

    def of_provider(self, provider: str) -> Turns:
        """The turns of a provider that is held back. Those of one that is not come at once."""
        if provider not in self._providers:
            self._providers[provider] = Turns(f"provider/{provider}", lambda: self.rate_of(provider), want=self._want)
        return self._providers[provider]

    def slow(self, provider: str, *, because: str, share: Callable[[str], float]) -> bool:
        """Note that a provider asked for patience; whether that is news. `share` is its part of what was sent."""
        before, now = self._slowdowns.get(provider), self._clock.now()
        if before is not None and rate_at(before, now) == 0:
            return False
        rate = self._rates.get(provider) or max(SLOWEST_START, self.throughput() * share(provider))
        after = slower(before, provider=provider, rate=rate, because=because, now=now)
        self._learn(after)
        if provider in self._providers:
            self._providers[provider].drop()
        self._complaints[provider] = (rate, because)
        self._work.set()
        log.warning("provider slowed", provider=provider, per_minute=round(after.rate), because=because)
        return True

    def pause(self, provider: str, *, because: str) -> None:
        """Leave a provider alone that takes nothing from us. Known here at once; the store hears of it too."""
        before = self._slowdowns.get(provider)
        self._learn(paused(before, provider=provider, because=because, now=self._clock.now()))
        if provider in self._providers:
            self._providers[provider].drop()

    def _learn(self, slowdown: Slowdown) -> None:
        known = self._slowdowns.get(slowdown.provider)
        rests = known is not None and rate_at(known, self._clock.now()) == 0
        if known is None or not rests or known.closed_until < slowdown.closed_until:
            self._slowdowns[slowdown.provider] = slowdown

    def closed(self) -> frozenset[str]:
        """Providers that get nothing now."""
        return frozenset(provider for provider in self._slowdowns if self.rate_of(provider) == 0)

    def lines(self, waiting: Callable[[str], int]) -> Lines | None:
        """How to lease what is due, if so many wait here already; None where nobody is held back."""
        now = self._clock.now()
        until, takes = {}, {}
        for provider in {*self._rates, *self._slowdowns}:
            rate, slowdown = self.rate_of(provider), self._slowdowns.get(provider)
            if rate is not None:
                until[provider] = max(now + _OUT_OF_LINE, slowdown.closed_until if slowdown else now)
                wanted = min(ceil(rate / 60 * _LEASED_SECONDS), _MOST_FROM_LINE) - waiting(provider)
            else:
                over = slowdown is not None and now - slowdown.closed_until > _LINES_LAST
                wanted = 0 if over else _MOST_FROM_LINE
            if wanted > 0:
                takes[provider] = wanted
        return Lines(provider_of=self.provider_of, until=until, takes=takes) if until or takes else None
