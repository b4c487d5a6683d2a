"""Deliver what is due: lease a batch, make its messages, send each over one of many lanes, record what came of it.

Nothing is sent before the ledger has it as begun, and nothing is begun before there is a connection to send it over.
A relay that is not there therefore costs nothing: what was leased goes back as it was.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from newsletter.deliver.ahead import Ahead
from newsletter.deliver.alarms import Act, Alarms
from newsletter.deliver.gate import Gate, new_gates
from newsletter.deliver.hopper import Hopper, Parcel
from newsletter.deliver.journal import Journal
from newsletter.deliver.lane import Lane, Tools
from newsletter.deliver.making import Made, Maker, Prepare
from newsletter.deliver.outcome import not_tried
from newsletter.deliver.pacer import Pacer
from newsletter.deliver.record import Recorder
from newsletter.deliver.smtp import Connection
from newsletter.deliver.tally import Counts, Tally
from newsletter.errors import StoreError
from newsletter.garbage import sought_seldom
from newsletter.model.clock import Clock
from newsletter.model.delivery import Claimed, Tried
from newsletter.model.pacing import Lines
from newsletter.model.settings import Deliver, Paces, Relay
from newsletter.store.ports import Ledger, Pacing
from newsletter.store.seam import in_thread

__all__ = ["Counts", "Limits", "Prepare", "Progress", "send_due"]

log = structlog.get_logger()

Progress = Callable[[Counts], None]

_LOOK_AGAIN_SECONDS: Final = 1.0
_PROGRESS_SECONDS: Final = 0.1
_TURN_SECONDS: Final = 0.0001
_KEPT_BYTES: Final = 16 * 1024 * 1024
_OBJECTS_BETWEEN_LOOKS: Final = 50_000
_DROPS: Final = 3
_FIRST: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a run takes on at once."""

    batch: int = 400
    """Deliveries leased together; up to half as many more are made ahead while these are sent."""
    lease: timedelta = timedelta(minutes=15)
    """Enough for a batch to wait in. What was begun has the ledger's own time for an answer."""
    builders: int = 0
    """Threads that make messages, or none (see `Maker`)."""
    drain: timedelta = timedelta(seconds=25)
    """How long a run that is stopped waits for answers; later ones are unknown."""


async def send_due(
    ledger: Ledger,
    *,
    prepare: Prepare,
    relays: Sequence[Relay],
    hostname: str,
    policy: Deliver,
    clock: Clock,
    owner: str,
    stop: asyncio.Event,
    journal: Journal,
    pacing: Pacing,
    paces: Paces,
    edition_id: str | None = None,
    limits: Limits | None = None,
    gates: Mapping[str, Gate] | None = None,
    on_progress: Progress | None = None,
    act: Act | None = None,
    luck: Callable[[], float] = random.random,
) -> Counts:
    """Try every delivery that is due once; return when nothing is due or in flight.

    Deferred ones that are not due yet do not keep it. `stop` ends it early: what is in flight is finished, what was
    only leased is given back. It also ends, with the reason in the counts, when no relay can be reached. StoreError
    if the ledger or the journal cannot be written; what was begun by then stays so for `recover`. Closing the `journal`
    is the caller's. What is our own fault is stopped by `act`, and told in the counts. `gates` are what earlier runs
    learnt about the relays; without them each is tried at once.
    """
    if not relays:
        return Counts(because="no relay is configured")
    pacer = Pacer(pacing, relays=relays, paces=paces, clock=clock)
    hopper = Hopper(relays, pacer=pacer, gates=gates or new_gates(relay.name for relay in relays))
    if (because := await _why_not(hopper, pacer)) is not None:
        due_at = await in_thread(ledger.next_due_at, edition_id=edition_id)
        is_due = due_at is not None and due_at <= clock.now()
        return Counts(because=because if is_due else None)
    tally = Tally()
    recorder = Recorder(ledger, hopper=hopper, tally=tally, clock=clock, journal=journal)
    ahead = Ahead(hopper, ledger=ledger, tally=tally, clock=clock)
    run = _Run(
        tools=Tools(
            hopper=hopper,
            pacer=pacer,
            ahead=ahead,
            recorder=recorder,
            alarms=Alarms(
                hopper,
                pacer=pacer,
                act=act,
                withdraw=partial(_withdraw, recorder, ahead),
                settled=ahead.settled,
            ),
            policy=policy,
            clock=clock,
            luck=luck,
        ),
        ledger=ledger,
        tally=tally,
        limits=limits or Limits(),
        maker=Maker(prepare, builders=(limits or Limits()).builders, policy=policy, clock=clock, luck=luck),
        relays=[_slower(relay, paces.rate_per_minute) for relay in relays],
        owner=owner,
        edition_id=edition_id,
        on_progress=on_progress,
    )
    with _tuned():
        return await run.to_the_end(hostname, stop)


async def _why_not(hopper: Hopper, pacer: Pacer) -> str | None:
    """Why nothing can be sent now, asked before anything is leased; the store is not asked for what is known here."""
    if (because := hopper.why_useless()) is None:
        await pacer.opening()
        if (because := hopper.why_useless()) is not None:
            await pacer.close()
    return because


def _withdraw(recorder: Recorder, ahead: Ahead, parcels: Sequence[Parcel]) -> None:
    """Give back what was begun and must not be sent."""
    for parcel in parcels:
        recorder.record(not_tried(parcel.claimed, relay="", because="its edition was paused"))
        ahead.over()


@dataclass(slots=True, kw_only=True)
class _Run:
    tools: Tools
    ledger: Ledger
    tally: Tally
    limits: Limits
    maker: Maker
    relays: Sequence[Relay]
    owner: str
    edition_id: str | None
    on_progress: Progress | None

    async def to_the_end(self, hostname: str, stop: asyncio.Event) -> Counts:
        hopper = self.tools.hopper
        lanes = [asyncio.create_task(lane.run()) for lane in self._lanes(hostname)]
        work = self._watch(stop), self._tell(), self._pace(), self.tools.alarms.run()
        besides = [asyncio.create_task(each) for each in work]
        try:
            await self._supply()
        finally:
            hopper.close()
            await self._ended(lanes)
            for task in besides:
                task.cancel()
            await asyncio.gather(*besides, return_exceptions=True)
            await self.tools.alarms.finish()
            with suppress(StoreError):  # leases run out by themselves; the first error is the one to hear about
                await in_thread(self._given_back)
                await self.tools.pacer.close()
        if hopper.error is not None:
            raise hopper.error
        return self._result()

    def _given_back(self) -> None:
        """Leave nothing leased. What counts as begun although all has an outcome was begun by a commit whose answer was
        lost, so that nobody sent it: back to the queue with it.
        """
        if self.tools.hopper.error is None:
            self.ledger.settle(self.owner, answered=(), started=(), whole=True, now=self.tools.clock.now())
        else:
            self.ledger.release(self.owner)

    def _lanes(self, hostname: str) -> Iterator[Lane]:
        for relay in self.relays:
            peers = tuple(Connection(relay, hostname=hostname) for _ in range(relay.connections))
            for connection in peers:
                yield Lane(connection, self.tools, peers=peers)

    async def _supply(self) -> None:
        """Keep the hopper filled, until there is nothing left to lease and nothing out that might come back."""
        hopper, batch = self.tools.hopper, self._batch()
        many = min(batch, _FIRST)  # these are on their way while the others are made
        coming: asyncio.Task[Sequence[Claimed]] | None = None
        try:
            while not hopper.closed.is_set():
                await hopper.room(batch // 2)
                was_idle = hopper.is_idle
                claimed = await coming if coming is not None else ()
                # That there was nothing a while ago says nothing of now.
                claimed = claimed or await self._lease(many)
                many = batch
                self._take_in(await self.maker.made(claimed, closed=hopper.closed))
                # Behind what was just taken in, which is begun first: SQLite has one turn to write.
                coming = asyncio.create_task(self._lease(batch)) if claimed else None
                if not claimed and was_idle:
                    hopper.close()
                elif not claimed:
                    await hopper.change(timeout=_LOOK_AGAIN_SECONDS)
        finally:
            self.maker.close()
            if coming is not None:
                await coming

    async def _lease(self, many: int) -> Sequence[Claimed]:
        return await in_thread(self._claimed, many, await self._lines())

    def _take_in(self, made: Sequence[Made]) -> None:
        hopper = self.tools.hopper
        for each in made:
            if isinstance(each, Tried):
                hopper.out()
                self.tools.recorder.record(each)
        hopper.put(each for each in made if isinstance(each, Parcel))

    async def _lines(self) -> Lines | None:
        """How to lease now; what waits here for a provider that gets nothing for a while gets in line again."""
        pacer, hopper = self.tools.pacer, self.tools.hopper
        await pacer.refresh()
        lines = pacer.lines(hopper.held.waiting)
        if lines is not None and (withdrawn := hopper.held.withdrawn(pacer.closed())):
            await in_thread(self.ledger.line_up, withdrawn, lines)
        return lines

    async def _pace(self) -> None:
        """Take turns from the store; a run that cannot ends."""
        pacer, started = self.tools.pacer, asyncio.get_running_loop().time()
        pacer.throughput = lambda: self.tally.counts().sent * 60 / (asyncio.get_running_loop().time() - started + 1)
        try:
            await pacer.run()
        except StoreError as error:
            self.tools.hopper.close(error=error)

    def _batch(self) -> int:
        """What slow relays would take more than a minute for is better left to others."""
        rates = [relay.rate_per_minute for relay in self.relays]
        together = sum(rate for rate in rates if rate) if all(rates) else self.limits.batch
        return max(1, min(self.limits.batch, int(together)))

    def _claimed(self, batch: int, lines: Lines | None) -> Sequence[Claimed]:
        """Lease a batch; runs in a thread."""
        ledger, tally = self.ledger, self.tally
        claimed = ledger.claim(
            owner=self.owner,
            limit=batch,
            now=self.tools.clock.now(),
            lease=self.limits.lease,
            edition_id=self.edition_id,
            lines=lines,
        )
        if any(tally.drops(one) >= _DROPS for one in claimed):
            raise StoreError("the ledger leases deliveries again and again that it does not let us begin")
        tally.leased(claimed)
        return claimed

    async def _watch(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.tools.hopper.close(because="stopped")

    async def _tell(self) -> None:
        """Show how it goes: to whoever asked, and in one log line for each batch."""
        told = self.tally.counts()
        while True:
            await asyncio.sleep(_PROGRESS_SECONDS)
            counts = self.tally.counts()
            if self.on_progress is not None:
                self.on_progress(replace(counts, unfit=self.tools.hopper.unfit))
            if counts.tried - told.tried >= self.limits.batch:
                _log("deliveries tried", counts)
                told = counts

    async def _ended(self, lanes: Sequence[asyncio.Task[None]]) -> None:
        """Wait for what is in flight, for a while; then end it, and wait until all outcomes are kept."""
        _, late = await asyncio.wait(lanes, timeout=self.limits.drain.total_seconds())
        for lane in late:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
        await self.tools.ahead.settled()
        for parcel in self.tools.hopper.left_over():
            self.tools.recorder.record(not_tried(parcel.claimed, relay="", because="stopped before it was sent"))
        await self.tools.recorder.flush()

    def _result(self) -> Counts:
        hopper = self.tools.hopper
        counts = replace(
            self.tally.counts(because=hopper.because),
            alarms=tuple(self.tools.alarms.told),
            unfit=hopper.unfit,
        )
        if self.on_progress is not None:
            self.on_progress(counts)
        _log("run of deliveries ended", counts)
        return counts


@contextmanager
def _tuned() -> Iterator[None]:
    """Set the interpreter up for many small messages, for as long as they are sent.

    Threads take turns often: while one makes messages for the usual 5 ms, all lanes stand still. And glibc, which got
    back one large block, keeps as much from then on (mallopt(3), M_MMAP_THRESHOLD): else it would ask the kernel for
    each large message's pages anew.
    """
    bytes(_KEPT_BYTES)
    turn = sys.getswitchinterval()
    sys.setswitchinterval(min(turn, _TURN_SECONDS))
    try:
        with sought_seldom(objects=_OBJECTS_BETWEEN_LOOKS):
            yield
    finally:
        sys.setswitchinterval(turn)


def _slower(relay: Relay, rate: float | None) -> Relay:
    """A relay that gets no more than all may together, so that no more is begun for it than can go."""
    rates = [each for each in (relay.rate_per_minute, rate) if each]
    return replace(relay, rate_per_minute=min(rates, default=None))


def _log(event: str, counts: Counts) -> None:
    log.info(
        event,
        sent=counts.sent,
        deferred=counts.deferred,
        failed=counts.failed,
        unknown=counts.unknown,
        returned=counts.returned,
        dropped=counts.dropped,
        because=counts.because,
    )
