"""An edition whose recipients all have an outcome is finished, and the log says how it went."""

from __future__ import annotations

import structlog

from newsletter.model.clock import Clock
from newsletter.model.delivery import DeliveryState
from newsletter.store.ports import Editions
from newsletter.store.seam import in_thread

log = structlog.get_logger()


async def finish(editions: Editions, clock: Clock) -> int:
    """Finish editions whose recipients all have an outcome; returns how many."""
    finished = await in_thread(editions.finish, now=clock.now())
    for edition_id in finished:
        report = await in_thread(editions.report, edition_id)
        counts = {state.value: getattr(report, state.value) for state in DeliveryState}
        log.info("edition finished", edition=edition_id, recipients=report.recipients, **counts)
    return len(finished)
