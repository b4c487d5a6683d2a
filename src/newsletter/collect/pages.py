"""Asking for pages of a site, as polite as a crawler must be: robots.txt first, one after the other, with a pause."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import urlsplit

from newsletter.collect.http import Fetched, Fetcher, check_hop
from newsletter.collect.robots import LONGEST_BYTES, refusal, rules_of
from newsletter.errors import AddressGuardError, FetchError
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


@dataclass(slots=True)
class _Turn:
    """Of one host: who asks it has the lock."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    over_at: float | None = None
    """When somebody last was done asking it, by the clock that nobody sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Pages, for those who may have them. FetchError says why not."""

    fetcher: Fetcher
    robots: Robots
    clock: Clock
    pause: timedelta = PAUSE
    _turns: dict[str, _Turn] = field(default_factory=dict)

    async def get(self, url: str, *, feed: str, head: bool = False) -> Fetched:
        """A page, or only what its server says of it (`head`). FetchError if robots.txt does not let us.

        Where the page is elsewhere by now, that place is asked what it allows as well.
        """
        seen: list[str] = []
        while True:
            check_hop(url, seen, feed)
            seen.append(url)
            if why := refusal(url, rules_of((await self._robots(url, feed)).content)):
                raise FetchError(feed, why)
            async with self._turn(url):
                answer = await self.fetcher.get(url, feed=feed, method="HEAD" if head else "GET", follow=False)
            if answer.leads_to is None:
                return answer
            url = answer.leads_to

    @asynccontextmanager
    async def _turn(self, url: str) -> AsyncIterator[None]:
        """Whoever asks this host at present does so alone, and a pause after whoever did before."""
        turn = self._turns.setdefault(urlsplit(url).netloc.lower(), _Turn())
        async with turn.lock:
            if turn.over_at is not None:
                await asyncio.sleep(turn.over_at + self.pause.total_seconds() - time.monotonic())
            try:
                yield
            finally:
                turn.over_at = time.monotonic()

    async def _robots(self, url: str, feed: str) -> RobotsFile:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc.lower()}"
        known = await self._known(origin)
        if known is None:
            async with self._turn(origin):
                # Whoever had the turn before may have asked for it.
                known = await self._known(origin) or await self._robots_anew(origin, feed)
        if not known.reachable:
            raise FetchError(feed, f"{parts.hostname} does not tell what its robots.txt allows")
        return known

    async def _known(self, origin: str) -> RobotsFile | None:
        known = await in_thread(self.robots.of, origin)
        is_fresh = known and known.asked_at <= self.clock.now() < known.asked_at + _lasts(known)
        return known if is_fresh else None

    async def _robots_anew(self, origin: str, feed: str) -> RobotsFile:
        file = await self._robots_file(RobotsFile(origin=origin, asked_at=self.clock.now()), feed)
        await in_thread(self.robots.keep, file)
        return file

    async def _robots_file(self, file: RobotsFile, feed: str) -> RobotsFile:
        """Section 2.3.1: a file that is not there allows all, one that cannot be had nothing."""
        try:
            answer = await self.fetcher.get(f"{file.origin}/robots.txt", feed=feed)
        except AddressGuardError:
            raise
        except FetchError:
            return replace(file, reachable=False)
        if answer.status == _OK:
            return replace(file, content=answer.body[:LONGEST_BYTES])
        return replace(file, reachable=answer.status in _REFUSALS and answer.status != _TOO_MANY_REQUESTS)


def _lasts(known: RobotsFile) -> timedelta:
    return GOOD_FOR if known.reachable else _UNREACHABLE_FOR
