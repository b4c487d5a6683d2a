"""Making the messages of what was leased: a few at a time in the event loop, or in threads where each takes long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from traceback import extract_tb
from typing import Final

import structlog

from newsletter.deliver.outcome import after_reply, unmakeable
from newsletter.deliver.parcel import Parcel
from newsletter.deliver.wire import Packed, packed
from newsletter.errors import NewsletterError, StoreError
from newsletter.model.blame import Blame
from newsletter.model.clock import Clock
from newsletter.model.delivery import Claimed, Tried
from newsletter.model.message import Message
from newsletter.model.settings import Deliver
from newsletter.store.seam import in_thread

log = structlog.get_logger()

Prepare = Callable[[Claimed], Message]
"""Makes the message of a delivery. The first of its kind may take a while and is made in a thread."""

Made = Parcel | Tried
"""What became of a leased delivery: a message, or the outcome that there is none."""

_AT_ONCE: Final = 4
"""Made in one go between what lanes hear: less than a server takes for one message of the usual size."""
_SHARES: Final = 8


class Maker:
    """Makes messages for one run. `builders` are threads; with none it is done in the event loop.

    A message costs less than to hand it to a thread and to wait for the interpreter's next turn. Only RSA signatures
    take so long, and need no turn meanwhile, that threads are worth it.
    """

    def __init__(
        self, prepare: Prepare, *, builders: int, policy: Deliver, clock: Clock, luck: Callable[[], float]
    ) -> None:
        self._prepare = prepare
        self._policy = policy
        self._clock = clock
        self._luck = luck
        self._seen: set[tuple[str, str, bool]] = set()
        self._builders = ThreadPoolExecutor(builders, thread_name_prefix="builder") if builders else None
        self._shares = _SHARES * builders

    def close(self) -> None:
        """End the threads."""
        if self._builders is not None:
            self._builders.shutdown()

    async def made(self, claimed: Sequence[Claimed], *, closed: asyncio.Event) -> list[Made]:
        """What became of each, in no order; no more of them than were ready when it was `closed`.

        StoreError if what readers share cannot be read.
        """
        if self._builders is not None:
            return await self._built(self._builders, claimed)
        firsts, others = self._sorted(claimed)
        made = await in_thread(self._parcels, firsts) if firsts else []
        for at in range(0, len(others), _AT_ONCE):
            if closed.is_set():
                break
            made += self._parcels(others[at : at + _AT_ONCE])
            await asyncio.sleep(0)
        return made

    def _sorted(self, claimed: Sequence[Claimed]) -> tuple[list[Claimed], list[Claimed]]:
        """The first of each kind, whose document has to be fetched and encoded; and all others."""
        firsts: list[Claimed] = []
        others: list[Claimed] = []
        for one in claimed:
            kind = (one.batch, one.variant, one.tracking)
            (others if kind in self._seen else firsts).append(one)
            self._seen.add(kind)
        return firsts, others

    async def _built(self, builders: ThreadPoolExecutor, claimed: Sequence[Claimed]) -> list[Made]:
        loop = asyncio.get_running_loop()
        # A few at a time: handing over each message alone costs as much as to make it.
        size = max(1, len(claimed) // self._shares)
        some = [claimed[at : at + size] for at in range(0, len(claimed), size)]
        parts = await asyncio.gather(*(loop.run_in_executor(builders, self._parcels, part) for part in some))
        return [made for part in parts for made in part]

    def _parcels(self, claimed: Sequence[Claimed]) -> list[Made]:
        return [self._parcel(one) for one in claimed]

    def _parcel(self, claimed: Claimed) -> Made:
        try:
            ready = packed(self._prepare(claimed))
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001
            # One message that cannot be made must not keep the others. No traceback: it may quote an address.
            because = _named(error)
            log.error("message not made", delivery=claimed.id, batch=claimed.batch, because=because)  # noqa: TRY400
            return unmakeable(claimed, because=f"{Blame.OUR_FAULT}: its message could not be made: {because}")
        if isinstance(ready, Packed):
            return Parcel(claimed=claimed, packed=ready)
        now, jitter = self._clock.now(), self._luck()
        return after_reply(claimed, ready, relay="", policy=self._policy, now=now, jitter=jitter)


def _named(error: Exception) -> str:
    """What went wrong, and where if it is not one of our own errors: those were not foreseen."""
    if isinstance(error, NewsletterError):
        return str(error)
    place = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
