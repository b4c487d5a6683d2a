"""One lane: a connection to a relay, and one message after the other begun, sent and recorded.

Begin and record are durable when their futures resolve, and the ledger keeps their order. Nothing of a message's
content leaves before its begin is on disk. With a journal a lane begins some messages ahead, as many as it gets
answered in a tenth of a second; the journal says which of them were started, so that a crash still leaves at most one
message of each lane unknown. Without a journal it begins one at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from newsletter.deliver.hopper import Hopper, Parcel
from newsletter.deliver.outcome import after_reply, doubtful, interrupted, not_tried
from newsletter.deliver.pace import Pace
from newsletter.deliver.pipe import End, Pipe
from newsletter.deliver.record import Recorder
from newsletter.deliver.smtp import Connection
from newsletter.deliver.steps import Steps
from newsletter.deliver.tally import Tally
from newsletter.deliver.window import Window
from newsletter.errors import RelayError, StoreError
from newsletter.model.clock import Clock
from newsletter.model.delivery import Claimed, Reply, Tried
from newsletter.model.settings import Deliver
from newsletter.store.ports import Ledger

log = structlog.get_logger()

_FIRST_STEP_ASIDE: Final = 0.5
_LONGEST_STEP_ASIDE: Final = 30.0
_MOST_AHEAD: Final = 64
_STOPPED: Final = "stopped before it was sent"
# It goes on while the machine sleeps, where the system has such a clock.
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What all lanes of a run share."""

    ledger: Ledger
    hopper: Hopper
    tally: Tally
    recorder: Recorder
    policy: Deliver
    clock: Clock
    luck: Callable[[], float]


class Lane:
    """Carries parcels over one connection until the hopper is closed. `peers` are all connections to the relay."""

    def __init__(self, connection: Connection, tools: Tools, *, pace: Pace | None, peers: Sequence[Connection]) -> None:
        self._connection = connection
        self._tools = tools
        self._journal = tools.recorder.journal
        self._pace = pace
        self._peers = peers
        self._relay = connection.relay.name
        # Bound once: the module's own looks its configuration up for each line.
        self._log = log.bind(relay=self._relay)
        self._turned_away = 0
        self._line: Pipe[Parcel] | Steps[Parcel] | None = None
        self._ready: deque[Parcel] = deque()
        """Begun, and nothing of them sent."""
        self._outstanding = 0
        """Begun, and without an outcome."""
        self._window = Window(1)
        self._probe = False
        self._lost = False
        """Whether the relay failed this lane, so that what is ready goes back."""
        self._something = asyncio.Event()

    async def run(self) -> None:
        """Carry parcels. Ends when the hopper is closed; what goes wrong here closes it."""
        hopper = self._tools.hopper
        try:
            while (taken := await hopper.take(self._relay)) is not None:
                await self._carry(*taken)
                if self._turned_away:
                    await self._open_for(min(_FIRST_STEP_ASIDE * 2**self._turned_away, _LONGEST_STEP_ASIDE))
        except Exception as error:  # noqa: BLE001 the other lanes must finish what they have begun
            hopper.close(error=error)
        finally:
            await self._connection.close()

    async def _carry(self, parcel: Parcel, probe: bool) -> None:  # noqa: FBT001 as it was taken
        """Carry a parcel, and with it what can go along; returns when all of it has an outcome or was given back."""
        self._probe, self._lost = probe, False
        if not await self._connected() or not await self._paced():
            self._tools.hopper.give_back(parcel)
        else:
            try:
                await self._stream(parcel)
            finally:
                self._give_up()
        if self._probe:
            self._tools.hopper.relay_unused(self._relay)

    async def _stream(self, first: Parcel) -> None:
        wanted: Sequence[Parcel] = (first,)
        while True:
            if wanted:
                await self._begin(wanted)
            if self._lost or (self._ready and not await self._connected()):
                return
            if self._line is not None:
                self._line.wake()
            if self._is_idle and (not self._ready or self._tools.hopper.closed.is_set()):
                return
            await self._something.wait()
            self._something.clear()
            wanted = await self._wanted()

    @property
    def _is_idle(self) -> bool:
        return self._line is None or self._line.is_idle

    def _give_up(self) -> None:
        """Leave nothing behind: what is on the line is in doubt or unsent, what was only begun goes back."""
        if self._line is not None and not self._line.is_idle:
            self._lost = True
            self._line.abandon("stopped before the answer")
        while self._ready:
            self._unsent(self._ready.popleft(), because=_STOPPED)
        if self._journal is not None:
            self._journal.flush()
        self._tools.recorder.hand_in()

    # Taking and beginning

    async def _wanted(self) -> list[Parcel]:
        """Parcels to begin now: as the window has room, and the relay's rate lets."""
        free = self._window.size - self._outstanding
        if free < self._window.size / 2 or self._probe or self._lost:
            return []
        hopper, wanted = self._tools.hopper, list[Parcel]()
        while len(wanted) < free and (parcel := hopper.take_now(self._relay)) is not None:
            wanted.append(parcel)
            if self._pace is not None:
                break
        if wanted and not await self._paced():
            hopper.give_back(wanted.pop())
        return wanted

    async def _begin(self, parcels: Sequence[Parcel]) -> None:
        tools, until = self._tools, _steady_now() + self._tools.ledger.answer_within.total_seconds()
        if self._journal is None:
            tools.recorder.hand_in()
        self._outstanding += len(parcels)
        try:
            begun = tools.ledger.begin_all([parcel.claimed for parcel in parcels], now=tools.clock.now())
            done = await asyncio.wrap_future(begun)
        except asyncio.CancelledError:
            # They may have been begun all the same, and nothing was sent.
            for parcel in parcels:
                self._unsent(parcel, because=_STOPPED)
            raise
        except StoreError as error:
            # What the other lanes, or this one, have on their lines is still answered; these are for `recover`.
            tools.hopper.close(error=error)
            done = ()
        for parcel, ours in zip(parcels, done or (False,) * len(parcels), strict=True):
            if ours:
                parcel.until = until
                self._ready.append(parcel)
            else:
                self._outstanding -= 1
                if done:
                    tools.tally.dropped(parcel.claimed)
                tools.hopper.done()

    async def _connected(self) -> bool:
        """Whether the connection is open; before anything is begun, so that a relay that is away costs no attempt."""
        if self._connection.is_open:
            return True
        self._line = None
        try:
            await self._connection.open()
        except RelayError as error:
            if any(peer.is_open or peer.opening for peer in self._peers):
                # The relay works, and has as many connections as it wants: this lane steps aside, the others go on.
                self._turned_away += 1
                log.debug("connection not given", relay=self._relay, because=error.because)
            else:
                self._fail(error.because)
            return False
        self._turned_away = 0
        self._window = Window(1 if self._journal is None else _MOST_AHEAD)
        self._line = self._connection.pipe(self) or Steps(self._connection, self)
        return True

    async def _paced(self) -> bool:
        """Wait for the relay's next turn; False if the run was stopped meanwhile."""
        if self._pace is None:
            return True
        return await self._open_for(self._pace.reserve(asyncio.get_running_loop().time()))

    async def _open_for(self, seconds: float) -> bool:
        """Wait; False as soon as the run is stopped."""
        if seconds <= 0:
            return not self._tools.hopper.closed.is_set()
        try:
            async with asyncio.timeout(seconds):
                await self._tools.hopper.closed.wait()
        except TimeoutError:
            return True
        return False

    # What the line asks for and tells

    def next(self) -> Parcel | None:
        """The next parcel that is begun and still ours."""
        if self._tools.hopper.closed.is_set() or self._lost:
            return None
        while self._ready:
            parcel = self._ready.popleft()
            if _steady_now() < parcel.until:
                return parcel
            self._unsent(parcel, because="its time was over before it was sent")
        return None

    def start(self, parcel: Parcel) -> str | None:
        """Note that its content is about to leave; why it must not, if this worker was held up, or cannot note it."""
        if _steady_now() >= parcel.until:
            return "its time is over"
        if self._journal is None:
            return None
        claimed = parcel.claimed
        self._journal.started((claimed.ledger, claimed.id, claimed.fence))
        if not self._journal.flush():
            because = self._journal.broken or ""
            self._tools.hopper.close(error=StoreError(because))
            return because
        return None

    def answered(self, parcel: Parcel, reply: Reply) -> None:
        """Record the relay's answer."""
        tools = self._tools
        tools.hopper.relay_answered(self._relay)
        self._probe = False
        self._window.answered(asyncio.get_running_loop().time())
        self._record(parcel, self._judged(parcel, reply))

    def _judged(self, parcel: Parcel, reply: Reply) -> Tried:
        tools = self._tools
        now, jitter = tools.clock.now(), tools.luck()
        try:
            return after_reply(parcel.claimed, reply, relay=self._relay, policy=tools.policy, now=now, jitter=jitter)
        except Exception as error:  # noqa: BLE001 nobody above would hear of it: the event loop calls us
            tools.hopper.close(error=error)
            return doubtful(parcel.claimed, relay=self._relay, because=f"answered with {reply.code}, not understood")

    def settled(self) -> None:
        """Write the journal, and see whether there is room to begin more."""
        if self._journal is not None:
            self._journal.flush()
        if self._outstanding <= self._window.size / 2 or self._is_idle:
            self._something.set()

    def ended(self, end: End[Parcel]) -> None:
        """The connection is gone: find an outcome for what was on it, and go on over a new one where that is right."""
        self._something.set()
        if end.doubtful is not None:
            claimed = end.doubtful.claimed
            self._record(end.doubtful, doubtful(claimed, relay=self._relay, because=end.because))
            self._fail(end.because)
        if end.unsent is not None:
            if end.used or end.orderly or self._lost:
                # The old connection turned out to be closed: nothing was sent, and it goes first over the next one.
                self._ready.appendleft(end.unsent)
            else:
                self._fail(end.because)
                self._broken_off(end.unsent, end)
        if self._journal is not None:
            self._journal.flush()

    # Outcomes

    def _fail(self, because: str) -> None:
        if not self._lost:
            self._tools.hopper.relay_failed(self._relay, probe=self._probe, because=because)
        self._probe, self._lost = False, True

    def _broken_off(self, parcel: Parcel, end: End[Parcel]) -> None:
        if not end.welcome:
            self._unsent(parcel, because=end.because)
            return
        # It took our sender and then broke off, on a connection of its own: that may be this message's doing, and it
        # must not come first in the queue for ever.
        tools = self._tools
        now, jitter = tools.clock.now(), tools.luck()
        tried = interrupted(
            parcel.claimed, relay=self._relay, because=end.because, policy=tools.policy, now=now, jitter=jitter
        )
        self._record(parcel, tried)

    def _unsent(self, parcel: Parcel, *, because: str) -> None:
        self._record(parcel, not_tried(parcel.claimed, relay=self._relay, because=because))

    def _record(self, parcel: Parcel, tried: Tried) -> None:
        self._outstanding -= 1
        claimed: Claimed = parcel.claimed
        self._log.debug(
            "delivery tried",
            delivery=tried.id,
            ledger=tried.ledger,
            batch=claimed.batch,
            domain=claimed.address.rpartition("@")[2],
            state=tried.state,
            because=tried.because,
        )
        self._tools.recorder.record(tried)


def _steady_now() -> float:
    return time.clock_gettime(_CLOCK)
