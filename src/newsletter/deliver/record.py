"""Handing outcomes to the journal and the ledger, and counting each when it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final

import structlog

from newsletter.deliver.hopper import Hopper
from newsletter.deliver.journal import Journal
from newsletter.deliver.tally import Tally
from newsletter.errors import StoreError
from newsletter.model.clock import Clock
from newsletter.model.delivery import Claimed, Tried
from newsletter.store.ports import Ledger

log = structlog.get_logger()

_GATHER_SECONDS: Final = 0.1
_MOST: Final = 500


class Recorder:
    """Writes outcomes down without anybody having to wait for it: the ledger gets them in large groups, a little later.

    Where the journal cannot be written it gets them at once, for until then a crash would leave them in doubt.
    """

    def __init__(self, ledger: Ledger, *, hopper: Hopper, tally: Tally, clock: Clock, journal: Journal) -> None:
        self.journal = journal
        self._ledger = ledger
        self._hopper = hopper
        self._tally = tally
        self._clock = clock
        self._waiting: list[Tried] = []
        self._timer: asyncio.Handle | None = None
        self._starting: list[Callable[[str | None], None]] = []
        self._writing: asyncio.Handle | None = None
        self._open = 0
        self._handed = 0
        """Given to the ledger, and not known to be kept."""
        self._all_kept = asyncio.Event()

    def start(self, claimed: Claimed, go: Callable[[str | None], None]) -> None:
        """Note that a message's content is about to leave; then `go`, with why it must not if that cannot be noted."""
        self.journal.started((claimed.ledger, claimed.id, claimed.fence))
        self._starting.append(go)
        self.note()

    def note(self) -> None:
        """Write the journal when the event loop has heard of all that is there: one write for all connections."""
        if self._writing is None:
            self._writing = asyncio.get_running_loop().call_soon(self._note)

    def record(self, tried: Tried) -> None:
        """Hand an outcome in. The journal has it after its next write."""
        self.journal.answered(tried)
        self._waiting.append(tried)
        if len(self._waiting) >= _MOST or len(self._waiting) + self._handed == self._hopper.is_out:
            # Many, or all: nothing more comes before these are kept.
            self.hand_in()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            later = self.journal.broken is None
            self._timer = loop.call_later(_GATHER_SECONDS, self.hand_in) if later else loop.call_soon(self.hand_in)

    def hand_in(self) -> None:
        """Give the ledger all that has gathered. It keeps the order of what it is handed: a later `begin` is later."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        group, self._waiting = self._waiting, []
        if not group:
            return
        loop = asyncio.get_running_loop()
        self._open += 1
        self._handed += len(group)

        def kept(recorded: Future[tuple[bool, ...]]) -> None:
            # In the ledger's thread: the loop is woken once for the whole group.
            loop.call_soon_threadsafe(self._kept, group, recorded)

        self._ledger.record_all(group, now=self._clock.now()).add_done_callback(kept)

    def _note(self) -> None:
        self._writing = None
        starting, self._starting = self._starting, []
        if not self.journal.flush():
            self._hopper.close(error=StoreError(self.journal.broken or ""))
        for go in starting:
            go(self.journal.broken)

    async def flush(self) -> None:
        """Until everything that was handed in is kept, or could not be."""
        self.hand_in()
        while self._open:
            self._all_kept.clear()
            await self._all_kept.wait()

    def _kept(self, group: Sequence[Tried], recorded: Future[tuple[bool, ...]]) -> None:
        self._open -= 1
        self._handed -= len(group)
        self._all_kept.set()
        error = recorded.exception()
        if isinstance(error, Exception):
            self._hopper.close(error=error)
        else:
            self.journal.kept(group)
            for tried, done in zip(group, recorded.result(), strict=True):
                self._count(tried, done=done)
        self._hopper.done(len(group))

    def _count(self, tried: Tried, *, done: bool) -> None:
        if done:
            self._tally.recorded(tried)
        else:
            # Somebody else has decided about it meanwhile, and the ledger stays with that.
            log.warning("outcome came too late", delivery=tried.id, ledger=tried.ledger, state=tried.state)
