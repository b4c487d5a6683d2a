"""Beginning messages ahead of the lanes that carry them, many in one commit of the ledger.

Begin is durable when its future resolves, and nothing of a message's content leaves before. How many are begun ahead is
bounded: by what all lanes get answered in a tenth of a second, and each lane always has room for the next one. The
journal says which of them were started, so that a crash leaves at most one message of each lane unknown.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final, Protocol

from newsletter.deliver.hopper import Hopper, Parcel
from newsletter.deliver.tally import Tally
from newsletter.deliver.window import Window
from newsletter.errors import StoreError
from newsletter.model.clock import Clock
from newsletter.model.settings import Relay
from newsletter.store.ports import Ledger

_MOST_PER_LANE: Final = 128
_TENTHS_PER_MINUTE: Final = 600
# It goes on while the machine sleeps, where the system has such a clock.
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def steady_now() -> float:
    """Seconds on the clock that says how long what was begun is ours."""
    return time.clock_gettime(_CLOCK)


class Carrier(Protocol):
    """A lane that is connected."""

    @property
    def relay(self) -> Relay:
        """Where its connection goes."""

    def wake(self) -> None:
        """There may be something to carry."""


class Ahead:
    """Keeps begun parcels ready for the lanes at work; while none is connected nothing is begun."""

    def __init__(self, hopper: Hopper, *, ledger: Ledger, tally: Tally, clock: Clock) -> None:
        self._hopper = hopper
        self._ledger = ledger
        self._tally = tally
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._window = Window()
        self._lanes: list[Carrier] = []
        self._idle: dict[Carrier, None] = {}
        self._least = 0
        self._low = 0
        """So few begun that it is time for more; as it was when some were begun last."""
        self._begun = 0
        """Begun, or about to be, and without an outcome."""
        self._asked = 0
        """How often the ledger was asked to begin some and has not answered."""
        self._told = asyncio.Event()
        hopper.on_change = self.look

    def joined(self, lane: Carrier) -> None:
        """A lane is connected."""
        self._lanes.append(lane)
        self._measure()
        self.look()

    def left(self, lane: Carrier) -> None:
        """A lane's connection is gone."""
        if lane in self._lanes:
            self._lanes.remove(lane)
            self._idle.pop(lane, None)
            self._measure()

    def idle(self, lane: Carrier) -> None:
        """A lane found nothing: it is woken when there may be something."""
        self._idle[lane] = None

    def answered(self) -> None:
        """A message was answered: as many answers as there are in a while may be waited for."""
        self._window.answered(self._loop.time())

    def over(self) -> None:
        """What was begun has its outcome."""
        self._begun -= 1
        if self._begun <= self._low and self._hopper.made:
            self._begin()

    def look(self) -> None:
        """Begin what there is room for if it is time, and let lanes that found nothing look again."""
        if self._begun <= self._low or self._idle:
            self._begin()
        idle, self._idle = self._idle, {}
        for lane in idle:
            lane.wake()

    async def settled(self) -> None:
        """Until the ledger has answered all it was asked."""
        while self._asked:
            self._told.clear()
            await self._told.wait()

    @property
    def _size(self) -> int:
        return max(self._least, min(self._window.size, _MOST_PER_LANE * len(self._lanes)))

    def _measure(self) -> None:
        """Room for each lane's next message; of a relay that is paced, no more than it takes in a tenth of a second."""
        relays = {lane.relay.name: lane.relay for lane in self._lanes}
        at_work = [lane.relay.name for lane in self._lanes]
        self._least = sum(_room(relay, at_work.count(name)) for name, relay in relays.items())
        self._low = self._size // 2

    def _begin(self) -> None:
        hopper = self._hopper
        # Before the first answer a lane has one message and no more.
        room = (self._size if self._window.size else len(self._lanes)) - self._begun
        if room <= 0 or hopper.closed.is_set() or not (parcels := hopper.take(room)):
            return
        self._low = self._size // 2
        self._begun += len(parcels)
        until = steady_now() + self._ledger.answer_within.total_seconds()
        try:
            begun = self._ledger.begin_all([parcel.claimed for parcel in parcels], now=self._clock.now())
        except StoreError as error:
            self._not_begun(parcels, error)
            return
        self._asked += 1
        begun.add_done_callback(
            # In the ledger's thread: the loop is woken once for all of them.
            lambda done: self._loop.call_soon_threadsafe(self._answer, parcels, until, done)
        )

    def _answer(self, parcels: Sequence[Parcel], until: float, begun: Future[tuple[bool, ...]]) -> None:
        self._asked -= 1
        self._told.set()
        error = begun.exception()
        if isinstance(error, Exception):
            self._not_begun(parcels, error)
            return
        for parcel, ours in zip(parcels, begun.result(), strict=True):
            if ours:
                parcel.until = until
                self._hopper.begun.append(parcel)
            else:
                self._tally.dropped(parcel.claimed)
                self._hopper.done()
                self._begun -= 1
        self.look()

    def _not_begun(self, parcels: Sequence[Parcel], error: Exception) -> None:
        # What the lanes have on their lines is still answered; these are for `recover`.
        self._begun -= len(parcels)
        self._hopper.close(error=error)
        self._hopper.done(len(parcels))


def _room(relay: Relay, lanes: int) -> int:
    if not relay.rate_per_minute:
        return 2 * lanes
    return min(2 * lanes, 1 + int(relay.rate_per_minute / _TENTHS_PER_MINUTE))
