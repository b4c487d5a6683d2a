"""The clock of `newsletter run`: APScheduler says when, the loops here do the work, SIGTERM lets them finish.

A job never works by itself: shutting down would cut it off in the middle. It opens a slot or wakes a loop, and a loop
asks its stop event between two pieces of work. What is due is read from the store each time, so a job that never
fired, or fired twice, changes nothing.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from newsletter import sdnotify
from newsletter.compose.slots import next_slot
from newsletter.errors import NewsletterError
from newsletter.model.publication import Digest

log = structlog.get_logger()

POLL_RHYTHM = timedelta(seconds=20)
"""How often we look which feeds are due; each feed's own rhythm is kept in the store."""
CLOCK_RHYTHM = timedelta(seconds=30)
"""How often slots are looked for besides their own jobs: a clock that jumps makes no timer fire."""
LINK_RHYTHM = timedelta(minutes=10)
"""How often we look which items' pages are due to be looked at."""
PUSH_RHYTHM = timedelta(seconds=1)
"""How often we look whether a hub pushed something to the process that serves our pages."""
SEND_RHYTHM = timedelta(seconds=2)
"""How often the ledger is asked for work that another process put there."""
DRAIN = timedelta(seconds=28)
"""How long what was begun may take to finish after SIGTERM. The sender waits 25 s for answers and then records."""

_THREADS = 24
"""For calls of the store (`store.seam`). Most wait for their turn to write, and must not keep others from reading."""


Serve = Callable[[asyncio.Event], Awaitable[None]]
"""Serves pages until the event it is handed is set."""


class Role(StrEnum):
    """What a process does: everything, or one part of it on this machine."""

    ALL = "all"
    CLOCK = "clock"
    SENDER = "sender"
    WEB = "web"


class Pipeline(Protocol):
    """What the clock drives; `app.App` is it. Each method does all that is due and returns how much that was."""

    def digests(self) -> tuple[Digest, ...]:
        """The digests with a schedule."""

    async def poll_due(self, stop: asyncio.Event) -> int:
        """Ask the feeds that are due; soon after `stop` is set, give up those that are slow and return."""

    async def take_pushed(self, stop: asyncio.Event) -> int:
        """Read what hubs pushed."""

    async def check_links(self, stop: asyncio.Event) -> int:
        """Look whether pieces that wait for an edition are still there."""

    async def compose_due(self) -> int:
        """Compose what is due."""

    async def freeze_rest(self, stop: asyncio.Event) -> bool:
        """Write down the recipients that are still to come of editions that are frozen."""

    async def send_due(self, stop: asyncio.Event) -> int:
        """Deliver what is due; soon after `stop` is set, finish what was begun and return."""

    async def settle(self) -> int:
        """Finish editions whose recipients all have an outcome."""

    async def prune(self) -> int:
        """Forget what is no longer needed."""


class SlotTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires at a digest's slots.

    APScheduler's own cron trigger counts weekdays from Monday and repeats hours.
    """

    def __init__(self, digest: Digest) -> None:
        self._digest = digest

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The next moment a slot is due, later than the previous one."""
        after = max(previous_fire_time, now - timedelta(seconds=1)) if previous_fire_time else now
        slot = next_slot(self._digest, after=after.astimezone(UTC))
        return slot.due_at if slot else None


class Wheel:
    """The loops of one process and the events that wake them."""

    def __init__(
        self,
        pipeline: Pipeline,
        stop: asyncio.Event,
        *,
        look_every: timedelta = SEND_RHYTHM,
        pulses: Sequence[asyncio.Event] = (),
    ) -> None:
        self._pipeline = pipeline
        self._stop = stop
        self._look_every = look_every
        self._pulses = pulses
        self._poll, self._compose, self._send = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._links, self._pushed = asyncio.Event(), asyncio.Event()

    async def clock(self) -> None:
        """Poll feeds and compose editions when they are due, until stopped."""
        scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None})
        for digest in self._pipeline.digests():
            scheduler.add_job(self._compose.set, SlotTrigger(digest), id=f"digest {digest.id}")
        scheduler.add_job(self._compose.set, IntervalTrigger(seconds=int(CLOCK_RHYTHM.total_seconds())), id="clock")
        scheduler.add_job(self._poll.set, IntervalTrigger(seconds=int(POLL_RHYTHM.total_seconds())), id="feeds")
        scheduler.add_job(self._links.set, IntervalTrigger(seconds=int(LINK_RHYTHM.total_seconds())), id="links")
        scheduler.add_job(self._pushed.set, IntervalTrigger(seconds=int(PUSH_RHYTHM.total_seconds())), id="pushes")
        scheduler.start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._whenever(self._pushed, self._push_step, "taking what hubs pushed"))
                group.create_task(self._whenever(self._links, self._link_step, "looking at links"))
                group.create_task(self._whenever(self._poll, self._poll_step, "polling"))
                group.create_task(self._whenever(self._compose, self._edition_step, "composing"))
        finally:
            scheduler.shutdown(wait=False)

    async def sender(self) -> None:
        """Deliver what is due, until stopped."""
        scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None})
        scheduler.add_job(self._send.set, IntervalTrigger(seconds=int(self._look_every.total_seconds())), id="ledger")
        scheduler.start()
        try:
            await self._whenever(self._send, self._send_step, "sending")
        finally:
            scheduler.shutdown(wait=False)

    async def watchdog(self) -> None:
        """Tell systemd, as often as it asked to be told, that the event loops still turn: ours, and those beside it."""
        interval = sdnotify.watchdog_interval()
        while interval is not None and not self._stop.is_set():
            sdnotify.tell("WATCHDOG=1")
            for pulse in self._pulses:
                pulse.clear()
            await first_of(self._stop, within=interval)
            for pulse in self._pulses:
                await first_of(self._stop, pulse)

    async def _poll_step(self) -> None:
        await self._pipeline.poll_due(self._stop)

    async def _link_step(self) -> None:
        await self._pipeline.check_links(self._stop)

    async def _push_step(self) -> None:
        await self._pipeline.take_pushed(self._stop)

    async def _edition_step(self) -> None:
        if await self._pipeline.compose_due():
            self._send.set()  # to the first of its recipients; the others are written down meanwhile
        await self._pipeline.freeze_rest(self._stop)
        await self._pipeline.settle()
        await self._pipeline.prune()

    async def _send_step(self) -> None:
        if await self._pipeline.send_due(self._stop):
            await self._pipeline.settle()

    async def _whenever(self, woken: asyncio.Event, step: Callable[[], Awaitable[None]], what: str) -> None:
        """Do `step` at once and then each time the event is set. A step that fails is logged and tried again later."""
        while not self._stop.is_set():
            woken.clear()
            try:
                await step()
            except NewsletterError as error:
                # A store that is away for a minute is no news every two seconds: a line says it.
                log.error("step failed", step=what, because=str(error))  # noqa: TRY400
            except Exception:
                log.exception("step failed", step=what)
            await first_of(woken, self._stop)


async def first_of(*events: asyncio.Event, within: timedelta | None = None) -> None:
    """Return when one of the events is set, or when `within` has passed."""
    waiting = {asyncio.create_task(event.wait()) for event in events}
    try:
        await asyncio.wait(
            waiting,
            timeout=within.total_seconds() if within else None,
            return_when=asyncio.FIRST_COMPLETED,
        )
    finally:
        for task in waiting:
            task.cancel()


async def run(
    pipeline: Pipeline,
    role: Role,
    *,
    serve: Sequence[Serve] = (),
    drain: timedelta = DRAIN,
    look_every: timedelta = SEND_RHYTHM,
    pulses: Sequence[asyncio.Event] = (),
) -> None:
    """Do what is due, for ever; `serve` are what serves pages, here or in processes beside this one.

    The sender looks into the ledger `look_every` so often when nothing wakes it. `pulses` are set again and again as
    long as the processes beside this one are alive.
    SIGTERM and SIGINT stop it: nothing new begins, and what was begun is finished within `drain`.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="step"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    wheel = Wheel(pipeline, stop, look_every=look_every, pulses=pulses)
    work = asyncio.create_task(_turn(wheel, role, serve=serve, stop=stop))
    sdnotify.tell("READY=1")
    log.info("clock started", role=role.value)
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
    sdnotify.tell("STOPPING=1")
    stopped.cancel()
    await asyncio.wait({work}, timeout=drain.total_seconds())
    if not work.done():
        log.warning("drain cut short", seconds=drain.total_seconds())
        work.cancel()
        await asyncio.wait({work})
    log.info("clock stopped", role=role.value)
    if not work.cancelled():
        _told(work)


def _told(work: asyncio.Task[None]) -> None:
    """Raise what ended the work, if anything did; a single error of the family needs no traceback."""
    try:
        work.result()
    except ExceptionGroup as group:
        if len(group.exceptions) == 1 and isinstance(group.exceptions[0], NewsletterError):
            raise group.exceptions[0] from None
        raise


async def _turn(wheel: Wheel, role: Role, *, serve: Sequence[Serve], stop: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(wheel.watchdog())
        if role in {Role.ALL, Role.CLOCK}:
            group.create_task(wheel.clock())
        if role in {Role.ALL, Role.SENDER}:
            group.create_task(wheel.sender())
        for each in serve:
            group.create_task(_served(each, stop))


async def _served(serve: Serve, stop: asyncio.Event) -> None:
    await serve(stop)
