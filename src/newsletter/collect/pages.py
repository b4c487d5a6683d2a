"""Asking for pages of a site, as polite as a crawler must be: robots.txt first, one after the other, with a pause."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import urlsplit

from newsletter.collect.http import Fetched, Fetcher
from newsletter.collect.robots import LONGEST_BYTES, refusal, rules_of
from newsletter.errors import FetchError
from newsletter.model.clock import Clock
from newsletter.model.robots import GOOD_FOR, RobotsFile
from newsletter.store.ports import Robots
from newsletter.store.seam import in_thread

PAUSE = timedelta(seconds=1)
"""Between two pages of one host."""
# Where a site cannot say what it allows nothing is; that is asked again soon.
_UNREACHABLE_FOR = timedelta(hours=1)
_OK = 200
_TOO_MANY_REQUESTS = 429
_REFUSALS = range(400, 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Pages, for those who may have them. FetchError says why not."""

    fetcher: Fetcher
    robots: Robots
    clock: Clock
    pause: timedelta = PAUSE
    _asked: set[str] = field(default_factory=set)

    async def get(self, url: str, *, feed: str, head: bool = False) -> Fetched:
        """A page, or only what its server says of it (`head`). FetchError if robots.txt does not let us."""
        if why := refusal(url, rules_of((await self._robots(url, feed)).content)):
            raise FetchError(feed, why)
        await self._paused(url)
        return await self.fetcher.get(url, feed=feed, method="HEAD" if head else "GET")

    async def _paused(self, url: str) -> None:
        """A pause, if something was asked of this host before."""
        host = urlsplit(url).netloc.lower()
        if host in self._asked:
            await asyncio.sleep(self.pause.total_seconds())
        self._asked.add(host)

    async def _robots(self, url: str, feed: str) -> RobotsFile:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc.lower()}"
        known = await in_thread(self.robots.of, origin)
        now = self.clock.now()
        if known is None or not known.asked_at <= now < known.asked_at + _lasts(known):
            known = await self._robots_anew(RobotsFile(origin=origin, asked_at=now), feed)
            await in_thread(self.robots.keep, known)
        if not known.reachable:
            raise FetchError(feed, f"{parts.hostname} does not tell what its robots.txt allows")
        return known

    async def _robots_anew(self, file: RobotsFile, feed: str) -> RobotsFile:
        """Section 2.3.1: a file that is not there allows all, one that cannot be had nothing."""
        await self._paused(file.origin)
        try:
            answer = await self.fetcher.get(f"{file.origin}/robots.txt", feed=feed)
        except FetchError:
            return replace(file, reachable=False)
        if answer.status == _OK:
            return replace(file, content=answer.body[:LONGEST_BYTES])
        return replace(file, reachable=answer.status in _REFUSALS and answer.status != _TOO_MANY_REQUESTS)


def _lasts(known: RobotsFile) -> timedelta:
    return GOOD_FOR if known.reachable else _UNREACHABLE_FOR
