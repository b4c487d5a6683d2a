"""One lane: a connection to a relay, and one message after the other begun, sent and recorded.

Begin and record are durable when their futures resolve, and the ledger keeps their order. A lane waits for a message's
`begin` before its first byte goes out, and with that for the record of the one before: at every moment, a lane has at
most one message whose fate a crash would leave unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from newsletter.deliver.hopper import Hopper, Parcel
from newsletter.deliver.outcome import after_reply, doubtful, interrupted, not_tried
from newsletter.deliver.pace import Pace
from newsletter.deliver.record import Recorder
from newsletter.deliver.smtp import Connection
from newsletter.deliver.tally import Tally
from newsletter.errors import RelayError
from newsletter.model.clock import Clock
from newsletter.model.delivery import Claimed, Tried
from newsletter.model.settings import Deliver
from newsletter.store.ports import Ledger

log = structlog.get_logger()

_FIRST_STEP_ASIDE: Final = 0.5
_LONGEST_STEP_ASIDE: Final = 30.0


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
        self._pace = pace
        self._peers = peers
        self._relay = connection.relay.name
        self._turned_away = 0

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
        hopper = self._tools.hopper
        if not await self._connected(probe=probe) or not await self._paced():
            hopper.give_back(parcel)
        elif await self._begun(parcel.claimed):
            self._record(parcel.claimed, await self._outcome(parcel, probe=probe))
            return
        else:
            self._tools.tally.dropped(parcel.claimed)
            hopper.done()
        if probe:
            hopper.relay_unused(self._relay)

    async def _connected(self, *, probe: bool) -> bool:
        """Whether the connection is open; before anything is begun, so that a relay that is away costs no attempt."""
        if self._connection.is_open:
            return True
        try:
            await self._connection.open()
        except RelayError as error:
            if any(peer.is_open or peer.opening for peer in self._peers):
                # The relay works, and has as many connections as it wants: this lane steps aside, the others go on.
                self._turned_away += 1
                log.debug("connection not given", relay=self._relay, because=error.because)
            else:
                self._tools.hopper.relay_failed(self._relay, probe=probe, because=error.because)
            return False
        self._turned_away = 0
        return True

    async def _paced(self) -> bool:
        """Wait for the relay's next turn; False if the run was stopped meanwhile."""
        if self._pace is None:
            return True
        return await self._open_for(self._pace.reserve(asyncio.get_running_loop().time()))

    async def _open_for(self, seconds: float) -> bool:
        """Wait; False as soon as the run is stopped."""
        try:
            async with asyncio.timeout(seconds):
                await self._tools.hopper.closed.wait()
        except TimeoutError:
            return True
        return False

    async def _begun(self, claimed: Claimed) -> bool:
        begun = self._tools.ledger.begin(claimed, now=self._tools.clock.now())
        try:
            return await asyncio.wrap_future(begun)
        except asyncio.CancelledError:
            # It may have been begun all the same, and nothing was sent.
            self._record(claimed, not_tried(claimed, relay=self._relay, because="stopped before it was sent"))
            raise

    async def _outcome(self, parcel: Parcel, *, probe: bool) -> Tried:
        try:
            return await self._tried(parcel, probe=probe)
        except asyncio.CancelledError:
            make = doubtful if self._connection.begun else not_tried
            self._record(parcel.claimed, make(parcel.claimed, relay=self._relay, because="stopped before the answer"))
            raise

    async def _tried(self, parcel: Parcel, *, probe: bool) -> Tried:
        """Send; once more over a new connection where the old one turned out to be closed and nothing was sent."""
        claimed, tools, used = parcel.claimed, self._tools, self._connection.used
        try:
            reply = await self._connection.send(parcel.message)
        except RelayError as error:
            if used and not error.begun:
                if await self._connected(probe=probe):
                    return await self._tried(parcel, probe=probe)
                return not_tried(claimed, relay=self._relay, because=error.because)
            tools.hopper.relay_failed(self._relay, probe=probe, because=error.because)
            return self._unanswered(claimed, error)
        tools.hopper.relay_answered(self._relay)
        return after_reply(
            claimed, reply, relay=self._relay, policy=tools.policy, now=tools.clock.now(), jitter=tools.luck()
        )

    def _unanswered(self, claimed: Claimed, error: RelayError) -> Tried:
        tools, because = self._tools, error.because
        if error.begun:
            return doubtful(claimed, relay=self._relay, because=because)
        if not self._connection.welcome:
            return not_tried(claimed, relay=self._relay, because=because)
        # It took our sender and then broke off, on a connection of its own: that may be this message's doing, and it
        # must not come first in the queue for ever.
        now, jitter = tools.clock.now(), tools.luck()
        return interrupted(claimed, relay=self._relay, because=because, policy=tools.policy, now=now, jitter=jitter)

    def _record(self, claimed: Claimed, tried: Tried) -> None:
        log.debug(
            "delivery tried",
            delivery=tried.id,
            ledger=tried.ledger,
            batch=claimed.batch,
            domain=claimed.address.rpartition("@")[2],
            state=tried.state,
            relay=tried.relay,
            because=tried.because,
        )
        self._tools.recorder.record(tried)
