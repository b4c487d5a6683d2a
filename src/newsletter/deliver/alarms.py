"""Acting on what is our own fault: stop what would only be refused, and say so, loudly and once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from newsletter.deliver.ballot import Alarm, Ballot
from newsletter.deliver.hopper import Hopper, Parcel
from newsletter.deliver.pacer import Pacer
from newsletter.errors import NewsletterError
from newsletter.model.blame import Step
from newsletter.model.delivery import Claimed, LedgerKind, Tried
from newsletter.store.seam import in_thread

log = structlog.get_logger()

_ECHO_SECONDS: Final = 60.0

Act = Callable[[Alarm], str]
"""Stops an edition or a provider in the store, in a thread; returns in words what was done and how it goes on."""

_NOUNS: Final = {Step.PAUSE_RELAY: "relay", Step.PAUSE_PROVIDER: "provider", Step.PAUSE_EDITION: "edition"}


class Alarms:
    """Watches a run's outcomes. It lives in the event loop; what it does in the store is done in a thread."""

    def __init__(
        self,
        hopper: Hopper,
        *,
        pacer: Pacer,
        act: Act | None,
        withdraw: Callable[[Sequence[Parcel]], None],
        settled: Callable[[], Awaitable[None]],
    ) -> None:
        """`withdraw` gives back what was begun and must not be sent; until `settled` more may turn out to be begun."""
        self._hopper = hopper
        self._withdraw = withdraw
        self._settled = settled
        self._pacer = pacer
        self._act = act
        self._ballot = Ballot()
        self._waiting: deque[Alarm] = deque()
        self._raised = asyncio.Event()
        self._raised_at: dict[tuple[Step, str], float] = {}
        self.told: list[str] = []
        """What was stopped, in words."""

    def saw(self, claimed: Claimed, tried: Tried) -> None:
        """Take note of an outcome."""
        if tried.reply is None or (tried.step not in _NOUNS and not self._ballot.is_open):
            return
        about = {Step.PAUSE_RELAY: tried.relay, Step.PAUSE_PROVIDER: self._pacer.provider_of(claimed.address)}
        if claimed.ledger is LedgerKind.EDITION:
            about[Step.PAUSE_EDITION] = claimed.batch
        alarm = self._ballot.cast(tried.step, about=about, because=tried.because)
        if alarm is not None:
            self._raise(alarm)

    async def run(self) -> None:
        """Act on alarms as they come, until cancelled."""
        while True:
            await self._raised.wait()
            await self.finish()

    async def finish(self) -> None:
        """Act on those that were raised. One whose act was cut off is acted on again."""
        self._raised.clear()
        while self._waiting:
            await self._answer(self._waiting[0])
            self._waiting.popleft()

    def _raise(self, alarm: Alarm) -> None:
        if alarm.step is Step.PAUSE_RELAY:
            # No other machine need be refused by it: this is known here alone, and at once.
            if self._hopper.relay_refused(alarm.whom, because=alarm.because):
                self._tell(alarm, "it is tried again in some minutes")
        elif self._act is not None and self._is_news(alarm):
            if alarm.step is Step.PAUSE_PROVIDER:
                # What waits here for it would be refused before the store is told.
                self._pacer.pause(alarm.whom, because=alarm.because)
                self._hopper.hold_back()
            else:
                # Each message more costs a reader the edition; it takes a moment until the store has it as paused.
                self._withdraw(self._hopper.halt(alarm.whom))
            self._waiting.append(alarm)
            self._raised.set()

    def _is_news(self, alarm: Alarm) -> bool:
        """Whether it is not about what was on its way already when the last one like it was raised."""
        key, now = (alarm.step, alarm.whom), asyncio.get_running_loop().time()
        last, self._raised_at[key] = self._raised_at.get(key), now
        return last is None or now - last > _ECHO_SECONDS

    async def _answer(self, alarm: Alarm) -> None:
        assert self._act is not None
        try:
            then = await in_thread(self._act, alarm)
            if alarm.step is Step.PAUSE_EDITION:
                # Until just now the store let more of it be begun.
                await self._settled()
                self._withdraw(self._hopper.halt(alarm.whom))
        except NewsletterError as error:
            then = f"it could not be paused: {error}"
        finally:
            if not any(other.step is Step.PAUSE_EDITION for other in self._waiting if other is not alarm):
                self._hopper.go_on()
        self._tell(alarm, then)

    def _tell(self, alarm: Alarm, then: str) -> None:
        noun = _NOUNS[alarm.step]
        log.error("sending paused", what=noun, name=alarm.whom, because=alarm.because, then=then)
        self.told.append(f"{noun} {alarm.whom} paused: {alarm.because}; {then}")
