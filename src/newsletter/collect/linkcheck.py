"""Look whether pieces that wait for an edition are still where they were: what a partner took down is not mailed.

Seldom and politely: an item a few times a day, through robots.txt, a page of a host after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta

import structlog

from newsletter.collect.pages import Pages
from newsletter.errors import FetchError
from newsletter.model.clock import Clock
from newsletter.model.link import ItemLink, LinkVerdict
from newsletter.store.ports import Links
from newsletter.store.seam import in_thread

MOST_LINKS = 20
"""Looked at in one round; those that were not looked at for longest come first."""
LONGEST = timedelta(minutes=1)
_THERE = range(200, 300)
_GONE = frozenset({404, 410})

log = structlog.get_logger()


async def check_links(due: Iterable[ItemLink], *, links: Links, pages: Pages, clock: Clock) -> int:
    """Look at these links, as many as there is time for; returns how many items that retracted."""
    retracted = 0
    try:
        async with asyncio.timeout(LONGEST.total_seconds()):
            for link in due:
                verdict = await _looked_at(link, pages)
                if await in_thread(links.note, link, verdict, now=clock.now()):
                    log.info("item's link noted", item=link.item_id, feed=link.feed_id, verdict=verdict)
                    retracted += verdict is LinkVerdict.GONE
    except TimeoutError:
        # The rest is due still.
        pass
    return retracted


async def _looked_at(link: ItemLink, pages: Pages) -> LinkVerdict:
    """What the server says of the page. HEAD is not believed when it is bad news: many servers answer it wrongly."""
    try:
        answer = await pages.get(link.url, feed=link.feed_id, head=True)
        if answer.status in _THERE:
            return LinkVerdict.THERE
        answer = await pages.get(link.url, feed=link.feed_id)
    except FetchError:
        return LinkVerdict.UNKNOWN
    if answer.status in _GONE:
        return LinkVerdict.GONE
    return LinkVerdict.THERE if answer.status in _THERE else LinkVerdict.UNKNOWN
