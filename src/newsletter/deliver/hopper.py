"""Where finished messages wait for a lane: made ahead, bounded, and taken only by relays that are fit for work."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from newsletter.deliver.gate import Gate, Rota
from newsletter.deliver.wire import Packed
from newsletter.model.delivery import Claimed
from newsletter.model.settings import Relay

log = structlog.get_logger()

_TICK: Final = 0.01


@dataclass(slots=True, kw_only=True, eq=False)
class Parcel:
    """A claimed delivery with its finished message."""

    claimed: Claimed
    packed: Packed
    until: float = 0.0
    """When it was begun: until when it is ours, by the lanes' steady clock."""


class Hopper:
    """Parcels between those who make them and the lanes that carry them, until it is closed.

    It counts what is out, knows which relays are fit, and closes by itself when none of them can be reached.
    """

    def __init__(self, relays: Sequence[Relay]) -> None:
        self.closed = asyncio.Event()
        self.because: str | None = None
        """Why it was closed before all was done."""
        self.error: Exception | None = None
        """What went wrong in a way that is for the caller to know."""
        self._parcels: deque[Parcel] = deque()
        self._out = 0
        self._enough = 0
        self._room = asyncio.Event()
        self._gates = {relay.name: Gate() for relay in relays}
        self._rota = Rota({relay.name: relay.weight for relay in relays})
        self._changed = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is out."""
        return not self._parcels and not self._out

    async def room(self, enough: int) -> None:
        """Until no more than `enough` parcels wait for a lane, or it is closed."""
        self._enough = enough
        self._room.clear()
        if len(self._parcels) > enough and not self.closed.is_set():
            await self._room.wait()

    def put(self, parcels: Iterable[Parcel]) -> None:
        """Add parcels behind those that wait."""
        self._parcels.extend(parcels)
        self._tell()

    async def take(self, relay: str) -> tuple[Parcel, bool] | None:
        """The next parcel, and whether it is a relay's one try; None when there will be no more."""
        while not self.closed.is_set():
            if self._has_for(relay):
                return self._taken(relay)
            await self.change()
        return None

    def take_now(self, relay: str) -> Parcel | None:
        """The next parcel, if there is one for this relay now and the relay is not in doubt."""
        if self.closed.is_set() or self._gates[relay].failures or not self._has_for(relay):
            return None
        parcel, _ = self._taken(relay)
        return parcel

    def out(self) -> None:
        """Note that something is out that was never put in."""
        self._out += 1

    def done(self) -> None:
        """Note that what was out has an outcome, or is none of ours any more."""
        self._out -= 1
        if self.is_idle:
            self._tell()

    def give_back(self, parcel: Parcel) -> None:
        """Put a parcel that was taken and not begun in front of the others."""
        self._parcels.appendleft(parcel)
        self._out -= 1
        self._tell()

    async def change(self, *, timeout: float | None = None) -> None:
        """Until anything happens here, or the time is over."""
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            pass

    def close(self, *, because: str | None = None, error: Exception | None = None) -> None:
        """Hand out nothing any more. The first reason stays."""
        if not self.closed.is_set():
            self.because = because
            self.error = error
        self.closed.set()
        self._room.set()
        self._tell()

    def relay_answered(self, relay: str) -> None:
        """Note that a relay is fit."""
        gate = self._gates[relay]
        if gate.failures:
            self._rota.rejoin(relay, self._fit())
            log.info("relay recovered", relay=relay, failures=gate.failures)
            gate.succeed()
            self._tell()

    def relay_unused(self, relay: str) -> None:
        """Note that a relay in doubt was not tried after all."""
        self._gates[relay].leave()
        self._tell()

    def relay_failed(self, relay: str, *, probe: bool, because: str) -> None:
        """Note that a relay could not be spoken to: it is paused. When none is left, close and say why."""
        pause = self._gates[relay].fail(self._now(), probe=probe, because=because)
        if pause is None:
            return
        log.warning("relay failed", relay=relay, because=because, paused_seconds=pause)
        if all(gate.unreachable for gate in self._gates.values()):
            self.close(because="; ".join(f"relay {name}: {gate.because}" for name, gate in self._gates.items()))
        # A little later than the pause: a timer may ring a clock's tick too early, and nobody would look again.
        asyncio.get_running_loop().call_later(pause + _TICK, self._tell)
        self._tell()

    def _has_for(self, relay: str) -> bool:
        return (
            bool(self._parcels)
            and self._gates[relay].admits(self._now())
            and (not self._rota.shares or self._rota.may_take(relay, self._fit()))
        )

    def _taken(self, relay: str) -> tuple[Parcel, bool]:
        self._rota.took(relay)
        self._out += 1
        parcel = self._parcels.popleft()
        if len(self._parcels) <= self._enough:
            self._room.set()
        if self._rota.shares and self._parcels:
            self._tell()  # it may be another relay's turn now
        return parcel, self._gates[relay].enter()

    def _fit(self) -> frozenset[str]:
        return frozenset(name for name, gate in self._gates.items() if not gate.failures)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _tell(self) -> None:
        # Each change has an event of its own, so that nobody who waits can miss one or see one twice.
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
