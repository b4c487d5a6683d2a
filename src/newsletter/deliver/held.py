"""Parcels for providers that are held back: each provider's wait in a line of their own, and nobody behind them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterable
from typing import Final

from newsletter.deliver.pacer import Pacer
from newsletter.deliver.parcel import Parcel
from newsletter.deliver.turns import TICK
from newsletter.model.delivery import Claimed

_LONGEST_LOOK: Final = 1.0


class Held:
    """The lines of one run. As long as no provider is held back it is asked nothing about single parcels."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer
        self._lines: dict[str, deque[Parcel]] = {}
        self._looks_at = 0.0

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def waiting(self, provider: str) -> int:
        """How many wait for a turn with a provider."""
        return len(self._lines.get(provider, ()))

    def sorted_out(self, parcels: Iterable[Parcel]) -> Iterable[Parcel]:
        """Those that nothing holds back. The others wait here now."""
        if not self._pacer.holds_any():
            return parcels
        free = []
        for parcel in parcels:
            provider = self._pacer.provider_of(parcel.claimed.address)
            if self._pacer.is_held(provider):
                self._lines.setdefault(provider, deque()).append(parcel)
            else:
                free.append(parcel)
        return free

    def take(self, most: int) -> list[Parcel]:
        """Parcels whose turn has come, and of each line at most what it may have now."""
        taken: list[Parcel] = []
        if not self._lines:
            return taken
        now, soonest = asyncio.get_running_loop().time(), _LONGEST_LOOK
        for provider, line in tuple(self._lines.items()):
            turns = self._pacer.of_provider(provider)
            while line and len(taken) < most and (wait := turns.wait(now)) <= 0:
                turns.took(now)
                taken.append(line.popleft())
            if not line:
                del self._lines[provider]
            elif len(taken) < most:
                soonest = min(soonest, wait)
        if self._lines:
            self._look_again(now + soonest)
        return taken

    def withdrawn(self, providers: Collection[str]) -> list[Claimed]:
        """What waits for these, which is not to wait here."""
        lines = [self._lines.pop(provider) for provider in providers if provider in self._lines]
        return [parcel.claimed for line in lines for parcel in line]

    def _look_again(self, at: float) -> None:
        loop = asyncio.get_running_loop()
        if not loop.time() < self._looks_at <= at:
            self._looks_at = at
            loop.call_at(at + TICK, self._pacer.on_turn)
