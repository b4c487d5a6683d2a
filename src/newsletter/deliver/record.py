"""Handing outcomes to the ledger, and counting each when it is kept."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

import structlog

from newsletter.deliver.hopper import Hopper
from newsletter.deliver.tally import Tally
from newsletter.model.clock import Clock
from newsletter.model.delivery import Tried
from newsletter.store.ports import Ledger

log = structlog.get_logger()


class Recorder:
    """Writes outcomes down without anybody having to wait for it."""

    def __init__(self, ledger: Ledger, *, hopper: Hopper, tally: Tally, clock: Clock) -> None:
        self._ledger = ledger
        self._hopper = hopper
        self._tally = tally
        self._clock = clock
        self._open: set[asyncio.Future[bool]] = set()

    def record(self, tried: Tried) -> None:
        """Hand an outcome in. The ledger keeps the order of what it is handed: a later `begin` comes after this."""

        def kept(recorded: asyncio.Future[bool]) -> None:
            self._open.discard(recorded)
            self._kept(tried, recorded)

        recording: Future[bool] = self._ledger.record(tried, now=self._clock.now())
        future = asyncio.wrap_future(recording)
        self._open.add(future)
        future.add_done_callback(kept)

    async def flush(self) -> None:
        """Until everything that was handed in is kept, or could not be."""
        while self._open:
            await asyncio.wait(self._open)

    def _kept(self, tried: Tried, recorded: asyncio.Future[bool]) -> None:
        error = recorded.exception()
        if isinstance(error, Exception):
            self._hopper.close(error=error)
        elif recorded.result():
            self._tally.recorded(tried)
        else:
            # Somebody else has decided about it meanwhile, and the ledger stays with that.
            log.warning("outcome came too late", delivery=tried.id, ledger=tried.ledger, state=tried.state)
        self._hopper.done()
