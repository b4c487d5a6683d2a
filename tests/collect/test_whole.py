"""Items completed from their own pages: over whole polls, with pages of ours on loopback."""

import time
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from aiohttp import web

from newsletter.collect.pushed import take_pushed
from newsletter.model.feed import Feed
from newsletter.model.hub import HubState, HubSubscription, Push
from newsletter.model.item import Item, ItemState, PollReport
from newsletter.model.settings import Secret
from tests.collect.makers import rss
from tests.collect.polling import Site, with_site
from tests.collect.server import a_fetcher

LEAD = "The ferries of the north are late again."
# A text long enough that nobody takes it for a menu.
PARAGRAPHS = [
    f"In the {name} month the harbour master counted the ships that had waited, wrote their names into a book, and told "
    f"the town council what it had cost the fishermen, the grocers and the school on the other side of the {name} strait."
    for name in ("first", "second", "third", "fourth", "fifth", "sixth")
]


def a_page(*paragraphs: str) -> bytes:
    text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs or PARAGRAPHS)
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>Late again - The Courier</title></head><body>"
        f"<nav><a href=/>Home</a> <a href=/about>About us</a></nav><article><h1>Ferries are late</h1>{text}"
        f"<p>Read <a href='/log'>the log</a> of the harbour master, which is kept in the tower and open to all.</p>"
        f"<script>steal()</script></article><footer>All rights reserved. Subscribe to our letters!</footer></body></html>"
    ).encode()


def a_feed(site: Site, *names: str, lead: str = LEAD, more: str = "", etag: str = '"1"', path: str = "/feed") -> Feed:
    """A feed that gives leads alone, and is served."""
    items = "".join(
        f"<item><title>Ferries are late on the {name} line</title><link>{site.server.url(f'/{name}')}</link>"
        f"<guid>{name}</guid><description>{lead}</description>{more}</item>"
        for name in names
    )
    site.server.serve_feed(rss(items), etag=etag, path=path)
    return site.feed(path=path, full_text=True)


async def polled(site: Site, *names: str, **settings: str) -> PollReport:
    return (await site.poll(a_feed(site, *names, **settings)))[0]


def only(site: Site) -> Item:
    (item,) = site.listed()
    return item


def is_whole(item: Item) -> bool:
    return all(paragraph in item.entry.text for paragraph in PARAGRAPHS)


@with_site
async def test_a_new_item_gets_the_text_of_its_page_cleaned(site: Site) -> None:
    site.server.serve("/north", a_page(), headers={"Content-Type": "text/html"})
    report = await polled(site, "north")
    item = only(site)
    assert (report.new, report.because) == (1, None)
    assert is_whole(item)
    assert item.entry.headline == "Ferries are late on the north line"
    assert site.server.url("/log") in item.entry.html
    for furniture in ("steal", "script", "All rights", "About us", "Ferries are late</"):
        assert furniture not in item.entry.html
    assert site.server.paths == ["/feed", "/robots.txt", "/north"]


@with_site
async def test_pages_of_feeds_that_do_not_want_it_are_not_asked_for(site: Site) -> None:
    a_feed(site, "north")
    await site.poll()
    assert site.server.paths == ["/feed"]


@with_site
async def test_what_robots_txt_disallows_is_not_asked_for_and_that_is_told(site: Site) -> None:
    site.server.serve("/robots.txt", b"User-agent: newsletter\nDisallow: /north\n")
    for name in ("north", "south"):
        site.server.serve(f"/{name}", a_page())
    report = await polled(site, "north", "south")
    texts = {item.entry.url.rpartition("/")[2]: is_whole(item) for item in site.listed()}
    assert texts == {"north": False, "south": True}
    assert "/north" not in site.server.paths
    assert "1 of 2 new or changed items is not whole: robots.txt disallows /north" in (report.because or "")
    assert site.health().because == report.because
    assert (report.failed, report.new) == (False, 2)


@pytest.mark.parametrize(("status", "lets"), [(404, True), (403, True), (429, False), (500, False), (503, False)])
def test_a_robots_txt_that_is_not_there_allows_all_and_one_that_cannot_be_had_nothing(
    tmp_path_factory: pytest.TempPathFactory, status: int, lets: bool
) -> None:
    @with_site
    async def test(site: Site) -> None:
        site.server.serve("/robots.txt", status=status)
        site.server.serve("/north", a_page())
        report = await polled(site, "north")
        assert is_whole(only(site)) is lets
        assert ("does not tell what its robots.txt allows" in (report.because or "")) is not lets

    test(tmp_path_factory.mktemp("site"))


@with_site
async def test_robots_txt_is_asked_for_once_a_day_and_sooner_where_it_could_not_be_had(site: Site) -> None:
    site.server.serve("/robots.txt", status=503)
    for at in range(5):
        site.server.serve(f"/{at}", a_page())
    await polled(site, "0")
    for at, hours, status in ((1, 2, 200), (2, 20, 200), (3, 5, 200)):
        site.server.serve("/robots.txt", b"", status=status)
        site.clock.at += timedelta(hours=hours)
        await site.poll(a_feed(site, *map(str, range(at + 1)), etag=f'"at {at}"'), force=True)
    assert [is_whole(item) for item in sorted(site.listed(), key=lambda item: item.id)] == [False, True, True, True]
    assert site.server.paths.count("/robots.txt") == 3, "after an hour, then a day"


@with_site
async def test_pages_of_a_host_are_asked_for_with_pauses_whichever_feeds_they_are_of(site: Site) -> None:
    asked: list[float] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(time.monotonic())
        return web.Response(body=b"" if request.path == "/robots.txt" else a_page(), content_type="text/html")

    for path in ("/robots.txt", "/north", "/south", "/east"):
        site.server.pages[path] = answer
    first, second = a_feed(site, "north", "east"), a_feed(site, "south", path="/second")
    site.between_pages = timedelta(seconds=0.1)
    reports = await site.poll(first, replace(second, id="second"))
    assert [report.new for report in reports] == [2, 1]
    assert site.server.paths.count("/robots.txt") == 1
    assert all(is_whole(item) for item in site.listed())
    assert min(later - before for before, later in pairwise(asked)) > 0.09


@with_site
async def test_where_a_page_is_elsewhere_that_place_is_asked_what_it_allows(site: Site) -> None:
    async def robots(request: web.Request) -> web.StreamResponse:
        return web.Response(text="User-agent: *\nDisallow: /closed" if request.host.startswith("127.0.0.2") else "")

    async def moved(request: web.Request) -> web.StreamResponse:
        to = {"/north": "/closed/north", "/south": "/open/south"}[request.path]
        return web.Response(status=302, headers={"Location": site.server.url(to, host="127.0.0.2")})

    site.server.pages |= {"/robots.txt": robots, "/north": moved, "/south": moved}
    for path in ("/closed/north", "/open/south"):
        site.server.serve(path, a_page())
    report = await polled(site, "north", "south")
    texts = {item.entry.url.rpartition("/")[2]: is_whole(item) for item in site.listed()}
    assert texts == {"north": False, "south": True}
    assert "robots.txt disallows /closed" in (report.because or "")
    assert "/closed/north" not in site.server.paths


@with_site
async def test_a_page_that_moved_within_its_site_to_where_robots_txt_forbids_is_not_asked_for(site: Site) -> None:
    site.server.serve("/robots.txt", b"User-agent: *\nDisallow: /closed")
    site.server.serve("/north", status=301, headers={"Location": "/closed"})
    site.server.serve("/closed", a_page())
    report = await polled(site, "north")
    assert "robots.txt disallows /closed" in (report.because or "")
    assert "/closed" not in site.server.paths


@with_site
async def test_pages_that_lead_in_a_circle_or_on_and_on_are_given_up(site: Site) -> None:
    async def on(request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"{request.path}x"})

    site.server.serve("/north", status=302, headers={"Location": "/north"})
    for many in range(9):
        site.server.pages["/south" + many * "x"] = on
    assert "redirects in a circle" in ((await polled(site, "north")).because or "")
    site.clock.at += timedelta(days=2)
    assert "redirects more than 5 times" in ((await polled(site, "south", etag='"2"')).because or "")


@with_site
async def test_a_page_that_says_less_changes_nothing(site: Site) -> None:
    site.server.serve("/north", b"<html><body><p>Please log in.</p></body></html>")
    report = await polled(site, "north")
    assert (only(site).entry.text, report.because) == (LEAD, None)


@with_site
async def test_a_page_that_cannot_be_had_or_read_loses_no_item_and_is_told(site: Site) -> None:
    async def elsewhere(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": site.server.url("/x", host="10.0.0.1")})

    site.server.serve("/gone", status=404)
    site.server.pages["/inside"] = elsewhere
    site.server.serve("/deep", b"<html><body>" + b"<div>" * 400_000 + b"deep")
    for name, told in (("gone", "answered 404"), ("inside", "10.0.0.1 is not a public address"), ("deep", "")):
        report = await polled(site, name, etag=f'"{name}"')
        assert report.new == 1
        assert told in (report.because or "")
        site.clock.at += timedelta(days=2)
    assert {item.entry.text for item in site.listed(ItemState.ACCEPTED)} == {LEAD}


@with_site
async def test_an_item_stays_whole_when_its_feed_shows_it_with_other_bytes(site: Site) -> None:
    site.server.serve("/north", a_page())
    await polled(site, "north")
    site.clock.at += timedelta(days=2)
    report = await polled(site, "north", more="<category>Seas</category>", etag='"2"')
    assert (report.known, report.changed) == (1, 0)
    assert is_whole(only(site))
    assert only(site).entry.categories == ("Seas",)
    assert site.server.paths.count("/north") == 1


@with_site
async def test_an_item_that_its_feed_changed_is_read_again_and_changed_if_its_page_is(site: Site) -> None:
    site.server.serve("/north", a_page())
    await polled(site, "north")
    site.clock.at += timedelta(days=2)
    report = await polled(site, "north", lead="Late again, the ferries of the north are.", etag='"2"')
    assert (report.changed, report.known) == (0, 1), "the same page under another lead"
    site.server.serve("/north", a_page(*PARAGRAPHS, "Since Monday the northern line has been closed until spring."))
    site.clock.at += timedelta(days=2)
    report = await polled(site, "north", lead="The northern line is closed.", etag='"3"')
    assert report.changed == 1
    assert "closed until spring" in only(site).entry.text


@with_site
async def test_an_item_stays_whole_when_its_page_cannot_be_had_again(site: Site) -> None:
    site.server.serve("/north", a_page())
    await polled(site, "north")
    site.server.serve("/north", status=500)
    site.clock.at += timedelta(days=2)
    report = await polled(site, "north", lead="The northern line is closed.", etag='"2"')
    assert "answered 500" in (report.because or "")
    assert is_whole(only(site))


@with_site
async def test_no_page_is_asked_for_what_is_no_news(site: Site) -> None:
    feed = a_feed(site, *(f"line-{at}" for at in range(6)))
    await site.poll(
        Feed(**{name: getattr(feed, name) for name in ("id", "url", "partner")}, full_text=True, first_poll=2)
    )
    assert len(site.server.paths) == 2 + 2


@with_site
async def test_an_item_that_a_hub_pushed_is_completed_too(site: Site) -> None:
    site.server.serve("/north", a_page())
    site.server.serve("/south", a_page())
    feed = a_feed(site, "north")
    await site.poll(feed)
    one = HubSubscription(
        token=Secret("t"),
        feed_id=feed.id,
        hub="https://hub.example/",
        topic=feed.url,
        secret=Secret("s"),
        state=HubState.ACTIVE,
        next_at=site.clock.now(),
    )
    site.hubs.add(one)
    a_feed(site, "south")
    content = rss(f"<item><title>Ferries in the south</title><link>{site.server.url('/south')}</link></item>")
    site.hubs.keep(Push(token=one.token, content=content, content_type="", received_at=site.clock.now()))
    async with a_fetcher() as fetcher:
        await take_pushed(
            (feed,), hubs=site.hubs, store=site.feeds, parser=site.parser, clock=site.clock, whole=site.whole(fetcher)
        )
    assert [is_whole(item) for item in site.listed()] == [True, True]
