"""Where finished messages wait: first to be begun, then for a lane; taken only by relays that are fit for work."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import structlog

from newsletter.deliver.gate import Gate, Rota
from newsletter.deliver.held import Held
from newsletter.deliver.offers import Offers
from newsletter.deliver.pacer import Pacer
from newsletter.deliver.parcel import Parcel
from newsletter.deliver.wire import Offer
from newsletter.model.settings import Relay

log = structlog.get_logger()

__all__ = ["Hopper", "Parcel"]

_TICK: Final = 0.01
_SHARE_LOOK: Final = 0.05


class Hopper:
    """Parcels between those who make them, who begins them and the lanes that carry them, until it is closed.

    It counts what is out, knows which relays are fit, and closes by itself when none of them can be reached.
    """

    def __init__(self, relays: Sequence[Relay], *, pacer: Pacer, gates: Mapping[str, Gate]) -> None:
        """`gates` has one for each relay, with what earlier runs learnt about it."""
        self.closed = asyncio.Event()
        self.because: str | None = None
        """Why it was closed before all was done."""
        self.error: Exception | None = None
        """What went wrong in a way that is for the caller to know."""
        self.made: deque[Parcel] = deque()
        """Leased and finished, and not begun."""
        self.begun: deque[Parcel] = deque()
        """On record as begun, and nothing of them sent."""
        self.held = Held(pacer)
        """Leased, finished, and waiting for their provider's turn."""
        self.on_change: Callable[[], None] = lambda: None
        """Called whenever a lane that found nothing should look again."""
        self._out = 0
        self._called = 0
        """Lanes that were called to work and are not connected yet."""
        self._halted = False
        self._enough = 0
        self._room = asyncio.Event()
        self._gates = gates
        self._is_only = len(relays) == 1
        self._rota = Rota({relay.name: relay.weight for relay in relays})
        self._pacer = pacer
        self._paces = {relay.name: pacer.of_relay(relay.name) for relay in relays}
        self._offers = Offers([relay.name for relay in relays])
        self._changed = asyncio.Event()
        pacer.on_turn = self._look
        pacer.on_spent = self._close_if_spent
        for gate in gates.values():
            gate.leave()  # a try that an earlier run broke off
            if pause := gate.opens_in(self._now()):
                self._look_after(pause)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is out."""
        return not self.made and not self.held and not self._out

    async def room(self, enough: int) -> None:
        """Until no more than `enough` parcels wait to be begun, or it is closed."""
        self._enough = enough
        self._room.clear()
        if len(self.made) > enough and not self.closed.is_set():
            await self._room.wait()

    def put(self, parcels: Iterable[Parcel]) -> None:
        """Add parcels behind those that wait."""
        self.made.extend(self.held.sorted_out(parcels))
        self.tell()
        self._close_if_spent()

    def share_of(self, provider: str) -> float:
        """What part of all that waits is for a provider."""
        waiting = [*self.made, *self.begun]
        of = self._pacer.provider_of
        return (1 + sum(of(parcel.claimed.address) == provider for parcel in waiting)) / (1 + len(waiting))

    def hold_back(self) -> None:
        """Let nothing pass any more for a provider that is held back by now."""
        self.made = deque(self.held.sorted_out(self.made))
        self.tell()

    def halt(self, edition_id: str) -> list[Parcel]:
        """Send nothing until `go_on`, and take out what is begun of an edition: it has to find an outcome."""
        self._halted = True
        withdrawn = [parcel for parcel in self.left_over() if parcel.claimed.batch == edition_id]
        for line in (self.begun, self._offers.aside):
            kept = [parcel for parcel in line if parcel.claimed.batch != edition_id]
            line.clear()
            line.extend(kept)
        return withdrawn

    def go_on(self) -> None:
        """Send again."""
        self._halted = False
        self.tell()

    def take(self, most: int) -> list[Parcel]:
        """Parcels to begin. Each is out until `done` is told."""
        # Whose turn has come first: they are few, and their turns pass.
        taken = self.held.take(most)
        taken += [self.made.popleft() for _ in range(min(most - len(taken), len(self.made)))]
        self._out += len(taken)
        if len(self.made) <= self._enough:
            self._room.set()
        return taken

    async def call(self, relay: str) -> bool | None:
        """Wait until another lane of a relay is wanted: whether it is the relay's one try; None when there is no more.

        Who was called says `came`, with a connection or without.
        """
        while not self.closed.is_set():
            if self._is_fit(relay) and (self._may_take(relay) or self._offers.aside) and self._waiting > self._called:
                self._called += 1
                return self._gates[relay].enter()
            await self.change()
        return None

    def came(self) -> None:
        """Note that a lane that was called is at work, or will not be."""
        self._called -= 1

    def next(self, relay: str, *, probe: bool) -> Parcel | None:
        """The next parcel that is begun, if there is one for this relay now. One in doubt has its one try."""
        gate = self._gates[relay]
        if self.closed.is_set() or self._halted or (gate.failures and not probe):
            return None
        if self._is_only:
            return self.begun.popleft() if self.begun else None
        if gate.is_coming_back and not self._has_its_share(relay):
            return None
        parcel = self._offers.from_aside(relay, away=self._away) if self._offers.aside else None
        if parcel is None:
            if not self._may_take(relay):
                return None
            parcel = self._from_begun(relay)
        if parcel is not None:
            self._rota.took(relay)
            if gate.is_coming_back:
                gate.took()
        return parcel

    def _from_begun(self, relay: str) -> Parcel | None:
        before = len(self._offers.aside)
        parcel = self._offers.next(relay, self.begun, away=self._away)
        if len(self._offers.aside) > before or (parcel is not None and self._rota.shares):
            # It may be another relay's turn now.
            asyncio.get_running_loop().call_soon(self.on_change)
        return parcel

    def has_begun(self) -> bool:
        """Whether anything is begun that no lane has."""
        return bool(self.begun or self._offers.aside)

    def left_over(self) -> list[Parcel]:
        """What is begun and was carried by nobody, at the end."""
        return [*self.begun, *self._offers.aside]

    @property
    def unfit(self) -> tuple[str, ...]:
        """Relays that are paused."""
        return tuple(name for name, gate in self._gates.items() if gate.failures)

    @property
    def is_out(self) -> int:
        """How many are out, if none waits."""
        return 0 if self.made else self._out

    def out(self) -> None:
        """Note that something is out that was never put in."""
        self._out += 1

    def done(self, many: int = 1) -> None:
        """Note that what was out has an outcome, or is none of ours any more."""
        self._out -= many
        if self.is_idle:
            self.tell()

    async def change(self, *, timeout: float | None = None) -> None:
        """Until anything happens here, or the time is over."""
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            pass

    def close(self, *, because: str | None = None, error: Exception | None = None) -> None:
        """Hand out nothing any more. The first reason stays; what goes wrong after it is an error all the same."""
        if not self.closed.is_set():
            self.because = because
        self.error = self.error or error
        self.closed.set()
        self._room.set()
        self.tell()

    def relay_offers(self, offer: Offer) -> None:
        """Note what a relay said to EHLO."""
        self._offers.heard(offer)

    def relay_answered(self, relay: str) -> None:
        """Note that a relay is fit."""
        gate = self._gates[relay]
        if gate.failures:
            self._rota.rejoin(relay, self._fit())
            log.info("relay recovered", relay=relay, failures=gate.failures)
            gate.succeed(self._now())
            self.tell()

    def relay_unused(self, relay: str) -> None:
        """Note that a relay in doubt was not tried after all."""
        self._gates[relay].leave()
        self.tell()

    def relay_failed(self, relay: str, *, probe: bool, because: str) -> None:
        """Note that a relay could not be spoken to: it is paused. When none is left, close and say why."""
        pause = self._gates[relay].fail(self._now(), probe=probe, because=because)
        if pause is None:
            return
        log.warning("relay failed", relay=relay, because=because, paused_seconds=pause)
        self._paused(pause)

    def relay_refused(self, relay: str, *, because: str) -> bool:
        """Note that a relay answers, and takes nothing from us: it is paused for longer. When none is left, close.

        Whether that is news: what was on its way is refused too.
        """
        pause = self._gates[relay].refuse(self._now(), because=because)
        if pause is None:
            return False
        log.warning("relay refused us", relay=relay, because=because, paused_seconds=pause)
        self._paused(pause)
        return True

    def _paused(self, pause: float) -> None:
        self._close_if_useless()
        self._look_after(pause)
        self.tell()

    def _look_after(self, pause: float) -> None:
        # A little later than the pause: a timer may ring a clock's tick too early, and nobody would look again.
        asyncio.get_running_loop().call_later(pause + _TICK, self.tell)

    def tell(self) -> None:
        """Let everybody look who waits."""
        # Each change has an event of its own, so that nobody who waits can miss one or see one twice.
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        self.on_change()

    def _close_if_spent(self) -> None:
        """Close if something waits that no relay can send today."""
        if self._waiting:
            self._close_if_useless()

    def _close_if_useless(self) -> None:
        if (because := self.why_useless()) is not None:
            self.close(because=because)

    def why_useless(self) -> str | None:
        """Why nothing can be sent now: each relay is out of reach, or may not send any more today. None if one can."""
        spent, now = self._pacer.spent(), self._now()
        reasons = [
            f"relay {name}: {gate.because}" if gate.is_hopeless(now) else spent.get(name)
            for name, gate in self._gates.items()
        ]
        return "; ".join(filter(None, reasons)) if all(reasons) else None

    def _look(self) -> None:
        """Let lanes look, and nobody else: there is nothing new to lease."""
        self.on_change()

    def _is_fit(self, relay: str) -> bool:
        return self._gates[relay].admits(self._now())

    def _may_take(self, relay: str) -> bool:
        return not self._rota.shares or self._rota.may_take(relay, self._fit())

    @property
    def _waiting(self) -> int:
        return len(self.made) + len(self.held) + len(self.begun) + len(self._offers.aside)

    def _has_its_share(self, relay: str) -> bool:
        """Whether a relay that came back may carry one more, so that its share returns slowly."""
        gate = self._gates[relay]
        if gate.may_carry(self._now()) or not self._fit() - {relay}:
            return True
        asyncio.get_running_loop().call_later(_SHARE_LOOK, self.on_change)
        return False

    def _fit(self) -> frozenset[str]:
        """Relays that could take a message now."""
        now = self._now()
        return frozenset(
            name
            for name, gate in self._gates.items()
            if not gate.failures and ((pace := self._paces[name]) is None or pace.wait(now) <= 0)
        )

    @property
    def _away(self) -> frozenset[str]:
        return frozenset(name for name, gate in self._gates.items() if gate.unreachable)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
