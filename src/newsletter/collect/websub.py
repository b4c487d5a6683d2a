"""Ask hubs to push what is new in feeds, to go on doing so, and to stop (W3C WebSub, the subscriber's part)."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

import structlog

from newsletter.collect.http import Fetcher
from newsletter.collect.hubs import Step, announcing, form, steps
from newsletter.errors import FetchError
from newsletter.model.clock import Clock
from newsletter.model.feed import Feed
from newsletter.model.hub import HubSubscription
from newsletter.model.settings import Secret
from newsletter.store.ports import Hubs
from newsletter.store.seam import in_thread

# What one round asks; the rest is due still at the next, seconds later.
_MOST_ASKED = 100
_ACCEPTED = range(200, 300)

log = structlog.get_logger()


async def due_steps(
    feeds: Sequence[Feed], *, hubs: Hubs, clock: Clock, luck: Callable[[], float] = random.random
) -> tuple[Step, ...]:
    """What hubs are to be asked now, the first of it. `feeds` are those that may have a hub."""
    healths, known = await in_thread(hubs.announcing), await in_thread(hubs.listed)
    found = steps(announcing(feeds, healths), known, now=clock.now(), made=_made(), jitter=luck())
    return found[:_MOST_ASKED]


async def tend_hubs(due: Sequence[Step], *, hubs: Hubs, fetcher: Fetcher, callback: Callable[[Secret], str]) -> int:
    """Take these steps; returns how many hubs were asked.

    What is asked is kept before it is asked, so that the hub's question back always finds it, and what dies in between
    is asked again. `callback` makes the address that a hub is given for a token.
    """
    # A hub is asked one thing at a time: `Fetcher` sees to that.
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_take(step, hubs, fetcher, callback)) for step in due]
    return sum(task.result() for task in asked)


def _made() -> Iterator[tuple[Secret, Secret]]:
    while True:
        yield Secret(secrets.token_urlsafe(32)), Secret(secrets.token_urlsafe(32))


async def _take(step: Step, hubs: Hubs, fetcher: Fetcher, callback: Callable[[Secret], str]) -> bool:
    """Keep a step and ask the hub, unless somebody else was faster."""
    if step.after is None:
        assert step.before is not None, "a step has one of both"
        await in_thread(hubs.forget, step.before)
        return False
    if step.before is None:
        ours = await in_thread(hubs.add, step.after)
    else:
        ours = await in_thread(hubs.exchange, step.before, step.after)
    if ours:
        await _ask(step.after, hubs, fetcher, callback)
    return ours


async def _ask(one: HubSubscription, hubs: Hubs, fetcher: Fetcher, callback: Callable[[Secret], str]) -> None:
    host = urlsplit(one.hub).hostname
    try:
        answer = await fetcher.post(one.hub, form(one, callback=callback(one.token)), feed=one.feed_id)
        because = None if answer.status in _ACCEPTED else f"its hub answered {answer.status}"
    except FetchError as exc:
        because = f"its hub could not be asked: {exc.because}"
    if because is None:
        log.info("hub asked", feed=one.feed_id, hub=host, state=one.state, tries=one.tries)
        return
    log.warning("hub not asked", feed=one.feed_id, hub=host, state=one.state, tries=one.tries, because=because)
    # If it has confirmed in the meantime it was only its answer that went wrong.
    await in_thread(hubs.blame, one, because)
