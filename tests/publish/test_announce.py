"""Telling a hub, which is a real server here, that something was published."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from newsletter.model.edition import EditionState
from newsletter.model.publication import MailingList
from newsletter.publish.announce import announce, due_announcements
from newsletter.store.announcements import Announcements
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from tests.collect.server import Server, a_fetcher, a_server
from tests.made import made_store
from tests.publish.samples import PUBLICATION
from tests.store.samples import NOW, add_items, draft_of, freeze

BRIEF, WEEKEND = MailingList(id="brief", title="The Brief"), MailingList(id="weekend", title="The Weekend")


@dataclass
class Clock:
    """A clock that is set by hand."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with made_store(tmp_path) as opened:
        yield opened


def publish(store: Store, number: int, *, list_id: str = "brief", state: EditionState = EditionState.APPROVED) -> None:
    draft = draft_of(add_items(store, 1), edition_id=f"{list_id}-{number}", number=number, list_id=list_id)
    freeze(store, draft, state=state)


@dataclass
class Hub:
    """A hub that answers with a status and keeps the forms it got."""

    server: Server
    forms: list[dict[str, str]]
    status: int = 204

    async def answer(self, request: web.Request) -> web.Response:
        self.forms.append({str(name): str(value) for name, value in (await request.post()).items()})
        return web.Response(status=self.status)

    def topics(self) -> list[str]:
        found = [form["hub.url"] for form in self.forms]
        assert all((form["hub.mode"], form["hub.topic"]) == ("publish", form["hub.url"]) for form in self.forms)
        self.forms.clear()
        return found


async def told(store: Store, clock: Clock, hub: Hub) -> int:
    """One round, as the clock makes it."""
    publication = replace(PUBLICATION, hub=hub.server.url("/hub"))
    announcements = Announcements(store)
    due = await due_announcements((BRIEF, WEEKEND), editions=Editions(store), announcements=announcements, clock=clock)
    async with a_fetcher() as fetcher:

        async def post(url: str, form: Mapping[str, str]) -> int:
            return (await fetcher.post(url, form, feed="our hub")).status

        return await announce(due, publication=publication, announcements=announcements, post=post, clock=clock)


def test_a_hub_is_told_once_of_each_form_of_what_is_out(store: Store) -> None:
    async def run() -> None:
        clock = Clock()
        async with a_server() as server:
            hub = Hub(server, [])
            server.pages["/hub"] = hub.answer
            publish(store, 1, state=EditionState.AWAITING)
            assert (await told(store, clock, hub), hub.topics()) == (0, []), "an editor has not let it go yet"

            publish(store, 2)
            assert await told(store, clock, hub) == 1
            assert hub.topics() == [f"https://news.example.org/feeds/brief.{form}" for form in ("atom", "rss", "json")]
            assert (await told(store, clock, hub), hub.topics()) == (0, [])

            publish(store, 3)
            assert (await told(store, clock, hub), len(hub.topics())) == (1, 3)

    asyncio.run(run())


def test_a_hub_that_does_not_listen_is_told_again_later_and_not_for_ever(store: Store) -> None:
    async def run() -> None:
        clock = Clock()
        async with a_server() as server:
            hub = Hub(server, [], status=503)
            server.pages["/hub"] = hub.answer
            publish(store, 1)
            minutes = []
            while True:
                await told(store, clock, hub)
                assert len(hub.topics()) == 1, "the first refusal is enough"
                minutes.append((clock.at - NOW) // timedelta(minutes=1))
                last = Announcements(store).last("brief")
                if last is None or last.next_try_at is None:
                    break
                clock.at = last.next_try_at - timedelta(seconds=1)
                await told(store, clock, hub)
                assert hub.topics() == []
                clock.at = last.next_try_at
            assert minutes == [0, 1, 3, 7, 15, 31, 63, 127]

            publish(store, 2)
            hub.status = 202
            assert await told(store, clock, hub) == 1

    asyncio.run(run())


def test_a_hub_that_is_away_is_told_when_it_is_back(store: Store) -> None:
    async def run() -> None:
        clock = Clock()
        async with a_server() as server:
            gone = Hub(server, [])
        publish(store, 1)
        assert await told(store, clock, gone) == 0
        clock.at += timedelta(minutes=1)
        async with a_server() as server:
            hub = Hub(server, [])
            server.pages["/hub"] = hub.answer
            assert (await told(store, clock, hub), len(hub.topics())) == (1, 3)

    asyncio.run(run())
