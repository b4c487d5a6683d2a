"""One lane: a connection to a relay, over which begun messages are sent one after the other and recorded.

The ledger keeps the order of what it is handed. Before a message's content leaves, the journal has it as started.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from newsletter.deliver.ahead import Ahead, steady_now
from newsletter.deliver.alarms import Alarms
from newsletter.deliver.hopper import Hopper, Parcel
from newsletter.deliver.outcome import after_reply, doubtful, interrupted, not_tried
from newsletter.deliver.pacer import Pacer
from newsletter.deliver.pipe import End, Pipe
from newsletter.deliver.record import Recorder
from newsletter.deliver.smtp import Connection
from newsletter.deliver.steps import Steps
from newsletter.deliver.turns import TICK, Together
from newsletter.errors import RelayError
from newsletter.model.blame import Step
from newsletter.model.clock import Clock
from newsletter.model.delivery import Claimed, Reply, Tried
from newsletter.model.settings import Deliver, Relay

log = structlog.get_logger()

_FIRST_STEP_ASIDE: Final = 0.5
_LONGEST_STEP_ASIDE: Final = 30.0
_DEBUG: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What all lanes of a run share."""

    hopper: Hopper
    pacer: Pacer
    ahead: Ahead
    recorder: Recorder
    alarms: Alarms
    policy: Deliver
    clock: Clock
    luck: Callable[[], float]


class Lane:
    """Carries parcels over one connection until the hopper is closed. `peers` are all connections to the relay."""

    def __init__(self, connection: Connection, tools: Tools, *, peers: Sequence[Connection]) -> None:
        self.relay: Relay = connection.relay
        self._connection = connection
        self._tools = tools
        self._pace = tools.pacer.of_relay(connection.relay.name)
        self._peers = peers
        self._name = connection.relay.name
        # Bound once: the module's own looks its configuration up for each line.
        self._log = log.bind(relay=self._name)
        self._tells = self._log.is_enabled_for(_DEBUG)
        self._turned_away = 0
        self._line: Pipe[Parcel] | Steps[Parcel] | None = None
        self._probe = False
        """Whether this is the one try of a relay in doubt."""
        self._tried = False
        self._over = False
        """Whether the connection is gone."""
        self._lost = False
        """Whether it went as it should not."""
        self._turn_at = 0.0
        """When it looks for its relay's next turn."""
        self._something = asyncio.Event()

    async def run(self) -> None:
        """Carry parcels. Ends when the hopper is closed; what goes wrong here closes it."""
        hopper = self._tools.hopper
        try:
            while (probe := await hopper.call(self._name)) is not None:
                await self._work(probe=probe)
                if self._turned_away:
                    await self._step_aside(min(_FIRST_STEP_ASIDE * 2**self._turned_away, _LONGEST_STEP_ASIDE))
        except Exception as error:  # noqa: BLE001 the other lanes must finish what they have begun
            hopper.close(error=error)
        finally:
            await self._connection.close()

    async def _work(self, *, probe: bool) -> None:
        """Connect, and carry what there is until the connection is gone or the hopper closed."""
        self._probe, self._tried, self._over, self._lost = probe, False, False, False
        try:
            connected = await self._connected()
        finally:
            self._tools.hopper.came()
        if connected:
            self._tools.ahead.joined(self)
            try:
                await self._carry()
            finally:
                self._tools.ahead.left(self)
                self._give_up()
        if self._probe:
            self._tools.hopper.relay_unused(self._name)

    async def _carry(self) -> None:
        self.wake()
        while not self._over and not (self._tools.hopper.closed.is_set() and self._is_idle):
            await self._something.wait()
            self._something.clear()

    @property
    def _is_idle(self) -> bool:
        return self._line is None or self._line.is_idle

    def _give_up(self) -> None:
        """Leave nothing behind: what is on the line is in doubt or unsent."""
        if self._line is not None and not self._line.is_idle:
            self._lost = True
            self._line.abandon("stopped before the answer")
        self._tools.recorder.note()

    async def _connected(self) -> bool:
        """Whether the connection is open; before anything is begun, so that a relay that is away costs no attempt."""
        self._line = None
        try:
            await self._connection.open()
        except RelayError as error:
            if any(peer.is_open or peer.opening for peer in self._peers):
                # The relay works, and has as many connections as it wants: this lane steps aside, the others go on.
                self._turned_away += 1
                log.debug("connection not given", relay=self._name, because=error.because)
            else:
                self._fail(error.because)
            return False
        self._turned_away = 0
        self._tools.hopper.relay_offers(self._connection.offer)
        self._line = self._connection.pipe(self) or Steps(self._connection, self)
        return True

    async def _step_aside(self, seconds: float) -> None:
        """Wait, but not longer than the run goes on."""
        try:
            async with asyncio.timeout(seconds):
                await self._tools.hopper.closed.wait()
        except TimeoutError:
            pass

    # What the line asks for and tells

    def wake(self) -> None:
        """There may be something to send, or nothing any more."""
        if self._line is not None and not self._over:
            self._line.wake()
        if self._tools.hopper.closed.is_set():
            self._something.set()

    def next(self) -> Parcel | None:
        """The next parcel that is begun and still ours."""
        while (parcel := self._taken()) is not None:
            if steady_now() < parcel.until:
                return parcel
            self._unsent(parcel, because="its time was over before it was sent")
        if not self._over:
            self._tools.ahead.idle(self)
        return None

    def _taken(self) -> Parcel | None:
        if self._over or (self._probe and self._tried):
            return None
        if self._pace is None:
            parcel = self._tools.hopper.next(self._name, probe=self._probe)
        else:
            parcel = self._paced(self._pace)
        self._tried = self._tried or parcel is not None
        return parcel

    def _paced(self, pace: Together) -> Parcel | None:
        if not self._tools.hopper.has_begun():
            return None
        loop = asyncio.get_running_loop()
        now = loop.time()
        if (wait := pace.wait(now)) > 0:
            if self._turn_at <= now:
                self._turn_at = now + wait
                loop.call_at(self._turn_at + TICK, self.wake)
            return None
        parcel = self._tools.hopper.next(self._name, probe=self._probe)
        if parcel is not None:
            pace.took(now)
        return parcel

    def start(self, parcel: Parcel, go: Callable[[str | None], None]) -> None:
        """Note that its content is about to leave; it must not if this worker was held up, or cannot note it."""
        if steady_now() >= parcel.until:
            go("its time is over")
        else:
            self._tools.recorder.start(parcel.claimed, go)

    def answered(self, parcel: Parcel, reply: Reply) -> None:
        """Record the relay's answer."""
        tools, tried = self._tools, self._judged(parcel, parcel.instead or reply)
        if tried.step is not Step.PAUSE_RELAY:
            tools.hopper.relay_answered(self._name)
        elif self._probe:
            tools.hopper.relay_refused(self._name, because=tried.because)
        self._probe = False
        tools.ahead.answered()
        if tried.step is Step.SLOW:
            self._slow(parcel, because=tried.because)
        self._record(parcel, tried)

    def _slow(self, parcel: Parcel, *, because: str) -> None:
        """Leave the provider alone for a while: others of its own are on their way, and would be refused too."""
        pacer, hopper = self._tools.pacer, self._tools.hopper
        provider = pacer.provider_of(parcel.claimed.address)
        if pacer.slow(provider, because=because, share=hopper.share_of):
            hopper.hold_back()

    def _judged(self, parcel: Parcel, reply: Reply) -> Tried:
        tools = self._tools
        now, jitter = tools.clock.now(), tools.luck()
        try:
            return after_reply(parcel.claimed, reply, relay=self._name, policy=tools.policy, now=now, jitter=jitter)
        except Exception as error:  # noqa: BLE001 nobody above would hear of it: the event loop calls us
            tools.hopper.close(error=error)
            return doubtful(parcel.claimed, relay=self._name, because=f"answered with {reply.code}, not understood")

    def settled(self) -> None:
        """Let the journal be written."""
        self._tools.recorder.note()
        if self._tools.hopper.closed.is_set():
            self._something.set()

    def ended(self, end: End[Parcel]) -> None:
        """The connection is gone: find an outcome for what was on it, or somebody else to carry it."""
        self._over = True
        self._something.set()
        if end.doubtful is not None:
            claimed = end.doubtful.claimed
            self._record(end.doubtful, doubtful(claimed, relay=self._name, because=end.because))
            self._fail(end.because)
        if end.unsent is not None:
            if end.used or end.orderly or self._lost:
                # The old connection turned out to be closed: nothing was sent, and it goes first over another.
                self._tools.hopper.begun.appendleft(end.unsent)
                self._tools.hopper.tell()
            else:
                self._fail(end.because)
                self._broken_off(end.unsent, end)
        self._tools.recorder.note()

    # Outcomes

    def _fail(self, because: str) -> None:
        if not self._lost:
            self._tools.hopper.relay_failed(self._name, probe=self._probe, because=because)
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
            parcel.claimed, relay=self._name, because=end.because, policy=tools.policy, now=now, jitter=jitter
        )
        self._record(parcel, tried)

    def _unsent(self, parcel: Parcel, *, because: str) -> None:
        self._record(parcel, not_tried(parcel.claimed, relay=self._name, because=because))

    def _record(self, parcel: Parcel, tried: Tried) -> None:
        if self._tells:
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
        self._tools.alarms.saw(parcel.claimed, tried)
        self._tools.ahead.over()
