"""What is done with others' servers: feeds are asked and found, partners' hubs are asked to push, what they push is
read, items' pages are looked at, and our own hub is told what we published.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from newsletter.model.clock import Clock
from newsletter.model.feed import Feed
from newsletter.model.settings import Secret, Settings
from newsletter.stopping import unless
from newsletter.store.ports import Announcements, Editions, Feeds, Hubs, Links, Robots
from newsletter.store.seam import in_thread

if TYPE_CHECKING:
    from newsletter.collect.discover import Candidate
    from newsletter.collect.http import Fetcher
    from newsletter.collect.whole import Whole
    from newsletter.collect.worker import Parser
    from newsletter.model.item import PollReport


class Outreach:
    """Asks nobody by itself: the clock does."""

    def __init__(
        self,
        settings: Settings,
        *,
        feeds: Feeds,
        hubs: Hubs,
        robots: Robots,
        links: Links,
        editions: Editions,
        announcements: Announcements,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._feeds = feeds
        self._hubs = hubs
        self._robots, self._links = robots, links
        self._editions = editions
        self._announcements = announcements
        self._clock = clock

    async def poll(
        self, feeds: Sequence[Feed], *, force: bool, stop: asyncio.Event, on_feed: Callable[[PollReport], None]
    ) -> tuple[PollReport, ...]:
        """Ask those of the feeds that are due, or all of them by `force`; what was done before `stop` is reported."""
        # A third of a second that commands which ask nobody need not wait for.
        from newsletter.collect.http import Fetcher
        from newsletter.collect.poll import poll
        from newsletter.collect.worker import Parser

        done: list[PollReport] = []

        def tell(report: PollReport) -> None:
            done.append(report)
            on_feed(report)

        async with Fetcher(self._settings.collect) as fetcher, Parser() as parser:
            polling = poll(
                feeds,
                store=self._feeds,
                fetcher=fetcher,
                parser=parser,
                clock=self._clock,
                force=force,
                hubs=await in_thread(self._hubs.listed),
                whole=self.whole(fetcher, parser),
                tell=tell,
                concurrency=self._settings.collect.concurrency,
            )
            reports = await unless(stop, polling)
        return tuple(done) if reports is None else reports

    async def discover(self, url: str) -> tuple[Candidate, ...]:
        """The feeds behind a page; FetchError if the page cannot be had."""
        from newsletter.collect.discover import discover
        from newsletter.collect.http import Fetcher
        from newsletter.collect.worker import Parser

        async with Fetcher(self._settings.collect) as fetcher, Parser() as parser:
            return await discover(url, fetcher=fetcher, parser=parser, now=self._clock.now())

    def callback(self, token: Secret) -> str:
        """The address of ours that one hub is given."""
        return f"{self._settings.publication.base_url}/websub/{token.reveal()}"

    async def tend_hubs(self) -> int:
        """Ask hubs what is due to be asked; returns how many were."""
        wanted = self._settings.feeds if self._settings.collect.websub else ()
        if not wanted and not await in_thread(self._hubs.listed):
            return 0
        from newsletter.collect.http import Fetcher
        from newsletter.collect.websub import due_steps, tend_hubs

        if not (due := await due_steps(wanted, hubs=self._hubs, clock=self._clock)):
            return 0
        async with Fetcher(self._settings.collect) as fetcher:
            return await tend_hubs(due, hubs=self._hubs, fetcher=fetcher, callback=self.callback)

    async def tell_hub(self) -> int:
        """Tell our own hub of lists that have published since; returns of how many it took word."""
        publication = self._settings.publication
        if publication.hub is None:
            return 0
        from newsletter.collect.http import Fetcher
        from newsletter.publish.announce import announce, due_announcements

        kept = self._announcements
        due = await due_announcements(
            self._settings.lists, editions=self._editions, announcements=kept, clock=self._clock
        )
        if not due:
            return 0
        async with Fetcher(self._settings.collect) as fetcher:

            async def post(url: str, form: Mapping[str, str]) -> int:
                return (await fetcher.post(url, form, feed="our hub")).status

            return await announce(due, publication=publication, announcements=kept, post=post, clock=self._clock)

    async def take_pushed(self) -> tuple[PollReport, ...]:
        """Read what hubs pushed; a report for each push."""
        if await in_thread(self._hubs.waiting) is None:
            return ()
        from newsletter.collect.http import Fetcher
        from newsletter.collect.pushed import take_pushed
        from newsletter.collect.worker import Parser

        async with Fetcher(self._settings.collect) as fetcher, Parser() as parser:
            return await take_pushed(
                self._settings.feeds,
                hubs=self._hubs,
                store=self._feeds,
                parser=parser,
                clock=self._clock,
                whole=self.whole(fetcher, parser),
            )

    async def check_links(self) -> int:
        """Look whether pieces that wait for an edition are still there; returns how many were taken down."""
        if not self._settings.collect.check_links:
            return 0
        from newsletter.collect.http import Fetcher
        from newsletter.collect.linkcheck import MOST_LINKS, check_links
        from newsletter.collect.pages import Pages

        due = await in_thread(self._links.due, now=self._clock.now(), limit=MOST_LINKS)
        if not due:
            return 0
        async with Fetcher(self._settings.collect) as fetcher:
            pages = Pages(fetcher=fetcher, robots=self._robots, clock=self._clock)
            return await check_links(due, links=self._links, pages=pages, clock=self._clock)

    def whole(self, fetcher: Fetcher, parser: Parser) -> Whole | None:
        """What completes items from their pages, where a feed wants that."""
        if not any(feed.full_text for feed in self._settings.feeds):
            return None
        from newsletter.collect.pages import Pages
        from newsletter.collect.whole import Whole

        pages = Pages(fetcher=fetcher, robots=self._robots, clock=self._clock)
        return Whole(pages=pages, parser=parser, store=self._feeds)
