"""Sending as a whole: mend what a dead run left, deliver what is due, finish what is complete, say how it went."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from newsletter import sdnotify
from newsletter.deliver.ballot import Alarm
from newsletter.deliver.finish import finish
from newsletter.deliver.gate import Gate, new_gates
from newsletter.deliver.journal import Journal
from newsletter.deliver.recover import settle_journals
from newsletter.deliver.tally import Counts
from newsletter.errors import EditionError, MoveError
from newsletter.model.blame import Step
from newsletter.model.clock import Clock
from newsletter.model.delivery import Claimed, DeliveryState, Report
from newsletter.model.edition import EditionState
from newsletter.model.message import Message
from newsletter.model.settings import Settings, WhenUnknown
from newsletter.store.ports import Editions, Ledger, Pacing
from newsletter.store.seam import in_thread

_ADDED = ("sent", "deferred", "failed", "unknown", "returned", "dropped", "alarms")
_OUTCOMES = (DeliveryState.SENT, DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNKNOWN)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a run of `send` worked on, and why it stopped early if it did."""

    reports: tuple[Report, ...]
    counts: Counts

    @property
    def because(self) -> str | None:
        """What was stopped, and why not all that was due was tried."""
        return "; ".join((*self.counts.alarms, *([self.counts.because] if self.counts.because else []))) or None


class Dispatch:
    """Delivers what the ledger has. `shared` says that senders on other machines may use the same store."""

    def __init__(
        self,
        settings: Settings,
        *,
        editions: Editions,
        ledger: Ledger,
        pacing: Pacing,
        message: Callable[[Claimed], Message],
        builders: Callable[[], int],
        freeze_rest: Callable[[asyncio.Event], Coroutine[Any, Any, bool]],
        clock: Clock,
        journals: Path,
        shared: bool,
    ) -> None:
        self._settings = settings
        self._editions = editions
        self._ledger = ledger
        self._pacing = pacing
        self._gates = self._new_gates()
        self.attempts: Counter[DeliveryState] = Counter()
        """Attempts by outcome, since the process began."""
        self.unfit: tuple[str, ...] = ()
        """Relays that were paused when this process last looked."""
        self._message = message
        self._builders = builders
        self._freeze_rest = freeze_rest
        self._clock = clock
        self._journals = journals
        self._shared = shared

    def recover(self, *, alone: bool = True) -> None:
        """Set right what a process that died left behind; `alone` says that we are locked for sending."""
        now = self._clock.now()
        settled = settle_journals(self._journals, self._ledger, now=now)
        recovered = self._ledger.recover(now=now, alone=alone and not self._shared)
        unknown, requeued = (sum(counts) for counts in zip(settled, recovered, strict=True))
        if self._settings.deliver.unknown is WhenUnknown.RESEND:
            self._ledger.requeue_unknown(now=now)
        if unknown or requeued:
            log.warning("recovered from a run that stopped", unknown=unknown, requeued=requeued)

    async def send(
        self,
        edition_id: str | None = None,
        *,
        stop: asyncio.Event | None = None,
        on_progress: Callable[[Counts], None] | None = None,
    ) -> Sent:
        """Deliver all that is due (of one edition, or all), finish what is complete, and report what was worked on.

        Whoever asks for this wants each relay tried now, whatever is known about it.
        """
        if edition_id is not None:
            state = (await in_thread(self._editions.get, edition_id)).state
            if state in {EditionState.AWAITING, EditionState.PAUSED, EditionState.CANCELLED}:
                raise EditionError(edition_id, f"it is {state}: nothing of it may be sent")
        await in_thread(self.recover)
        self._gates = self._new_gates()
        stop = stop or asyncio.Event()
        async with self._freezing(stop) as freezing:
            counts = await self._send(stop, edition_id=edition_id, on_progress=on_progress)
            if await freezing and counts.because is None and not stop.is_set():
                # Who was written down behind the last look.
                counts = _both(counts, await self._send(stop, edition_id=edition_id, on_progress=on_progress))
        await finish(self._editions, self._clock)
        worked_on = dict.fromkeys((*counts.editions, *([edition_id] if edition_id else [])))
        reports = [await in_thread(self._editions.report, each) for each in worked_on]
        return Sent(reports=tuple(reports), counts=counts)

    async def send_due(self, stop: asyncio.Event) -> int:
        """Deliver what is due; returns how many deliveries were tried.

        A relay that was away or refused everybody is left alone for as long as earlier calls found out.
        """
        await in_thread(self.recover, alone=False)
        async with self._freezing(stop):
            return await self._send_due(stop)

    async def _send_due(self, stop: asyncio.Event) -> int:
        if await in_thread(self._ledger.next_due_at) is None:
            return 0
        counts = await self._send(stop)
        if counts.alarms:
            sdnotify.tell(f"STATUS={'; '.join(counts.alarms)}")
        return counts.tried

    @asynccontextmanager
    async def _freezing(self, stop: asyncio.Event) -> AsyncIterator[asyncio.Task[bool]]:
        """Meanwhile recipients are written down that are still to come: whoever froze the edition may be dead."""
        freezing = asyncio.create_task(self._freeze_rest(stop))
        try:
            yield freezing
            await freezing
        finally:
            freezing.cancel()  # where sending failed; what it has begun is finished
            await asyncio.gather(freezing, return_exceptions=True)

    async def _send(
        self,
        stop: asyncio.Event,
        *,
        edition_id: str | None = None,
        on_progress: Callable[[Counts], None] | None = None,
    ) -> Counts:
        from newsletter.deliver.send import Limits, send_due

        owner = _owner()
        with Journal(self._journals, owner=owner) as journal:
            return await send_due(
                self._ledger,
                prepare=self._message,
                relays=self._settings.relays,
                hostname=self._settings.hostname,
                policy=self._settings.deliver,
                clock=self._clock,
                owner=owner,
                stop=stop,
                edition_id=edition_id,
                limits=Limits(builders=await in_thread(self._builders)),
                journal=journal,
                pacing=self._pacing,
                paces=self._settings.paces,
                gates=self._gates,
                on_progress=self._counting(on_progress),
                act=self._stopped,
            )

    def _new_gates(self) -> dict[str, Gate]:
        return new_gates(relay.name for relay in self._settings.relays)

    def _counting(self, on_progress: Callable[[Counts], None] | None) -> Callable[[Counts], None]:
        """Shows a run's progress to whoever asked, and adds it to what this process has done."""
        before = Counts()

        def show(counts: Counts) -> None:
            nonlocal before
            for state in _OUTCOMES:
                self.attempts[state] += getattr(counts, state) - getattr(before, state)
            before, self.unfit = counts, counts.unfit
            if on_progress is not None:
                on_progress(counts)

        return show

    def _stopped(self, alarm: Alarm) -> str:
        """Stop an edition or a provider; says how it goes on."""
        now = self._clock.now()
        if alarm.step is Step.PAUSE_PROVIDER:
            slowdown = self._pacing.pause(alarm.whom, because=alarm.because, now=now)
            until = f"{slowdown.closed_until:%Y-%m-%d %H:%M} UTC"
            return (
                f"it gets nothing before {until}, or `newsletter resume --provider {alarm.whom}`, and then a few to try"
            )
        with suppress(MoveError):  # it is paused or cancelled already
            self._editions.move(alarm.whom, EditionState.PAUSED, now=now, because=alarm.because)
        return f"`newsletter resume {alarm.whom}` lets it go on, `resend --only failed` brings back who was refused"


def _both(first: Counts, then: Counts) -> Counts:
    """What two runs did, one after the other."""
    added = {name: getattr(first, name) + getattr(then, name) for name in _ADDED}
    return replace(then, editions=tuple(dict.fromkeys(first.editions + then.editions)), **added)


def _owner() -> str:
    """This worker's name in the ledger; two runs never share one."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
