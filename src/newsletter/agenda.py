"""Which editions are due: slots opened as the clock passes them, each settled once with an edition or a reason."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from newsletter.compose.slots import due, too_late
from newsletter.errors import NewsletterError
from newsletter.model.clock import Clock
from newsletter.model.publication import Digest
from newsletter.store.ports import Editions, Slot, Slots
from newsletter.store.seam import in_thread

if TYPE_CHECKING:
    from newsletter.compose.compose import Composed

# After a month's rest a digest that comes every minute has 40,000 of them.
_MOST_TOLD = 20

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of a slot: an edition, or why there is none. `failed` where that is nobody's wish."""

    slot: Slot
    edition_id: str | None = None
    because: str | None = None
    failed: bool = False


class Agenda:
    """Opens slots and has their editions composed. Whoever comes second, or dies halfway, changes nothing."""

    def __init__(
        self,
        digests: Sequence[Digest],
        *,
        slots: Slots,
        editions: Editions,
        clock: Clock,
        compose: Callable[[str, Slot], Awaitable[Composed]],
    ) -> None:
        self._digests = {digest.id: digest for digest in digests}
        self._slots = slots
        self._editions = editions
        self._clock = clock
        self._compose = compose

    async def settle_due(self) -> tuple[Settled, ...]:
        """Open the slots that are due and settle every open one. One digest's failure does not stop another's."""
        passed_over = await in_thread(lambda: tuple(self._open_due()))
        waiting = await in_thread(self._slots.unsettled)
        return (*passed_over, *[await self._settle(slot) for slot in waiting])

    def _open_due(self) -> Iterator[Settled]:
        """Open at most one slot of each digest; those that were missed for good are settled at once."""
        for digest in self._digests.values():
            now = self._clock.now()
            found = due(digest, last=self._slots.last(digest.id), now=now)
            untold = max(0, len(found.passed) - _MOST_TOLD)
            if untold:
                log.warning("slots passed over", digest=digest.id, count=untold, until=found.passed[untold][0].key)
            for slot, because in found.passed[untold:]:
                if self._slots.open(slot):
                    self._slots.settle(slot, edition_id=None, because=because, now=now)
                    log.warning("slot passed over", digest=digest.id, slot=slot.key, because=because)
                    yield Settled(slot=slot, because=because)
            if found.slot is not None:
                self._slots.open(found.slot)

    async def _settle(self, slot: Slot) -> Settled:
        try:
            settled = await self._composed(slot)
        except Exception as error:  # noqa: BLE001 the outermost loop: this digest failed, the others go on
            # The slot stays open: what is wrong can be put right, and it is composed then if that is not too late.
            return Settled(slot=slot, because=_told(error, slot), failed=True)
        await in_thread(
            self._slots.settle,
            slot,
            edition_id=settled.edition_id,
            because=settled.because,
            now=self._clock.now(),
        )
        return settled

    async def _composed(self, slot: Slot) -> Settled:
        frozen = await in_thread(self._editions.for_slot, slot.digest_id, slot.key)
        if frozen is not None:
            # Somebody died between freezing it and settling its slot.
            return Settled(slot=slot, edition_id=frozen.id)
        digest = self._digests.get(slot.digest_id)
        if digest is None:
            return Settled(slot=slot, because="the settings have no such digest with a schedule any more")
        if because := too_late(digest, slot, now=self._clock.now()):
            return Settled(slot=slot, because=because)
        composed = await self._compose(digest.id, slot)
        return Settled(slot=slot, edition_id=composed.edition_id, because=composed.because)


def _told(error: Exception, slot: Slot) -> str:
    """Why an edition could not be composed; what we did not foresee goes to the log in full."""
    if isinstance(error, NewsletterError):
        log.warning("edition could not be composed", digest=slot.digest_id, slot=slot.key, because=str(error))
        return str(error)
    log.error("edition could not be composed", digest=slot.digest_id, slot=slot.key, exc_info=error)
    return f"internal error ({type(error).__name__}), see the log"
