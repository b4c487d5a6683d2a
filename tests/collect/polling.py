"""A site for polls as a whole: a scripted server, the real store, real processes, a clock that is set by hand."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from newsletter.collect.http import Fetcher
from newsletter.collect.pages import Pages
from newsletter.collect.poll import poll
from newsletter.collect.whole import Whole
from newsletter.collect.worker import Parser
from newsletter.model.feed import Feed, FeedHealth
from newsletter.model.item import Item, ItemState, PollReport
from newsletter.store.engine import Store
from newsletter.store.feeds import Feeds
from newsletter.store.hubs import Hubs
from newsletter.store.items import Items
from newsletter.store.robots import Robots
from tests.collect.makers import NOW, a_feed
from tests.collect.server import Server, a_fetcher, a_server
from tests.made import made_store

PAUSE = timedelta(seconds=0.3)


@dataclass
class Hands:
    """A clock that is set by hand."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class Site:
    """A server, a store and a clock, and a feed that is served at /feed."""

    server: Server
    store: Store
    feeds: Feeds
    items: Items
    hubs: Hubs
    robots: Robots
    parser: Parser
    clock: Hands = field(default_factory=Hands)
    between_pages: timedelta = timedelta(0)

    def feed(self, feed_id: str = "courier", *, path: str = "/feed", **settings: Any) -> Feed:
        return a_feed(feed_id, url=self.server.url(path), **settings)

    async def poll(self, *feeds: Feed, force: bool = False) -> tuple[PollReport, ...]:
        async with a_fetcher(allow_private_hosts=("127.0.0.0/8",)) as fetcher:
            return await poll(
                feeds or (self.feed(),),
                store=self.feeds,
                fetcher=fetcher,
                parser=self.parser,
                clock=self.clock,
                force=force,
                pause=PAUSE,
                luck=lambda: 0.0,
                hubs=self.hubs.listed(),
                whole=self.whole(fetcher),
            )

    def pages(self, fetcher: Fetcher) -> Pages:
        return Pages(fetcher=fetcher, robots=self.robots, clock=self.clock, pause=self.between_pages)

    def whole(self, fetcher: Fetcher) -> Whole:
        return Whole(pages=self.pages(fetcher), parser=self.parser, store=self.feeds)

    async def later(self, hours: float = 25, *feeds: Feed) -> PollReport:
        """The report of a poll some hours later, when whatever wait there was is over."""
        self.clock.at += timedelta(hours=hours)
        return (await self.poll(*feeds))[0]

    def health(self, feed_id: str = "courier") -> FeedHealth:
        found = self.feeds.health(feed_id)
        assert found is not None
        return found

    def listed(self, state: ItemState | None = None) -> tuple[Item, ...]:
        return self.items.listed(state=state)


Test = Callable[[Site], Awaitable[None]]


def with_site(test: Test) -> Callable[[Path], None]:
    """The test with a site of its own."""

    def run(tmp_path: Path) -> None:
        async def inner() -> None:
            with made_store(tmp_path) as store:
                async with a_server() as server, Parser(processes=1) as parser:
                    await test(
                        Site(
                            server=server,
                            store=store,
                            feeds=Feeds(store),
                            items=Items(store),
                            hubs=Hubs(store),
                            robots=Robots(store),
                            parser=parser,
                        )
                    )

        asyncio.run(inner())

    run.__name__ = getattr(test, "__name__", "run")
    return run
