import asyncio
import json
import tomllib

import pytest

from newsletter.collect.discover import Candidate, discover, feed_id, feed_links, feed_toml
from newsletter.collect.worker import Parser
from newsletter.errors import FetchError
from tests.collect.makers import DATA, NOW, item, rss
from tests.collect.server import Server, a_fetcher, with_server

FEED = (DATA / "wordpress.xml").read_bytes()


async def _found(server: Server, path: str) -> list[str]:
    async with a_fetcher() as fetcher, Parser() as parser:
        candidates = await discover(server.url(path), fetcher=fetcher, parser=parser, now=NOW)
    return [candidate.url.removeprefix(server.url("")) for candidate in candidates]


def _page(*links: str) -> bytes:
    return f"<!doctype html><html><head><title>Home</title>{''.join(links)}</head><body></body></html>".encode()


def json_feed_of(name: str, **more: str) -> bytes:
    piece = {"id": name, "url": f"https://courier.example/{name}", "title": "A headline of some length"}
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": [piece]}
    return json.dumps(feed | more).encode()


def _link(href: str, kind: str = "application/rss+xml") -> str:
    return f'<link rel="alternate" type="{kind}" href="{href}">'


@with_server
async def test_a_feed_is_its_own_answer(server: Server) -> None:
    server.serve("/feed", FEED)
    assert await _found(server, "/feed") == ["/feed"]


@with_server
async def test_the_homepage_is_the_one_that_the_feed_names_for_it_may_live_elsewhere(server: Server) -> None:
    feeds = {
        "/rss": (rss(item(), channel="<link>https://courier.example/world</link>"), "https://courier.example/world"),
        "/relative": (rss(item(), channel="<link>/world</link>"), server.url("/world")),
        "/script": (rss(item(), channel="<link>javascript:alert(1)</link>"), server.url("/")),
        "/without": (rss(item()), server.url("/")),
        "/json": (json_feed_of("a", home_page_url="https://courier.example/"), "https://courier.example/"),
        "/json-without": (json_feed_of("a"), server.url("/")),
    }
    async with a_fetcher() as fetcher, Parser() as parser:
        for path, (feed, homepage) in feeds.items():
            server.serve(path, feed)
            (found,) = await discover(server.url(path), fetcher=fetcher, parser=parser, now=NOW)
            assert (path, tomllib.loads(feed_toml(found))["homepage"]) == (path, homepage)


@with_server
async def test_the_feeds_a_page_names_are_found_and_comments_come_last(server: Server) -> None:
    server.serve("/", _page(_link("/comments/feed"), _link("/all"), _link("/x.css", "text/css"), _link("/gone")))
    server.serve("/comments/feed", rss(item()))
    server.serve("/all", FEED)
    assert await _found(server, "/") == ["/all", "/comments/feed"]


@with_server
async def test_a_json_feed_is_found_where_a_page_names_it_and_where_it_usually_is(server: Server) -> None:
    feed = json_feed_of("one-two-three")
    server.serve("/", _page(_link("/x.json", "application/feed+json")))
    server.serve("/x.json", feed, headers={"Content-Type": "application/feed+json"})
    server.serve("/plain/", _page())
    server.serve("/feed.json", feed)
    assert await _found(server, "/") == ["/x.json"]
    assert await _found(server, "/plain/") == ["/feed.json"]


@with_server
async def test_one_feed_in_several_forms_is_one_feed(server: Server) -> None:
    server.serve("/", _page(_link("/rss"), _link("/feed.json", "application/feed+json"), _link("/sport")))
    server.serve("/rss", rss(item(name="one-two-three")))
    server.serve("/feed.json", json_feed_of("one-two-three"))
    server.serve("/sport", rss(item(name="four-five-six")))
    assert await _found(server, "/") == ["/rss", "/sport"]


@with_server
async def test_a_page_that_names_none_has_one_at_a_usual_place(server: Server) -> None:
    server.serve("/", _page())
    server.serve("/feeds/feed.rss", FEED)
    assert await _found(server, "/") == ["/feeds/feed.rss"]


@with_server
async def test_a_site_without_a_feed_has_none_and_is_not_asked_for_long(server: Server) -> None:
    server.serve("/", _page())
    assert await _found(server, "/") == []
    assert len(server.asked) < 10


@with_server
async def test_a_page_that_cannot_be_had_is_an_error(server: Server) -> None:
    with pytest.raises(FetchError, match="answered 404"):
        await _found(server, "/nowhere")


def test_only_links_to_feeds_count() -> None:
    page = _page(
        _link("javascript:alert(1)"),
        _link("/a", "application/atom+xml; charset=utf-8"),
        "<link rel=stylesheet href=/b>",
    )
    assert feed_links(page, "https://x.example/") == ("https://x.example/a",)
    assert feed_links(b"", "https://x.example/") == ()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://www.courier.example/feed/", "courier"),
        ("https://feeds.courier.example/x", "courier"),
        ("https://english.mirador.example/", "english-mirador"),
        ("http://127.0.0.1:80/", "127-0-0"),
    ],
)
def test_a_feed_is_named_after_its_host(url: str, name: str) -> None:
    assert feed_id(url) == name


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert feed_id("https://courier.example/", {"courier", "courier-2"}) == "courier-3"


def test_the_file_that_is_written_is_toml_with_careful_rights_whatever_the_feed_is_called() -> None:
    found = Candidate(url='https://x.example/?a="b"', title='The "Quoted" \\ {partner}', language="ar", entries=())
    settings = tomllib.loads(feed_toml(found))
    assert settings["url"] == found.url
    assert settings["partner"] == found.title
    assert settings["language"] == "ar"
    assert settings["rights"] == {"reuse": "teaser", "credit": "", "embargo": "0h"}


def test_discovery_adds_the_scheme_people_leave_out() -> None:
    async def run() -> None:
        async with a_fetcher() as fetcher, Parser() as parser:
            await discover("nowhere.invalid/feed", fetcher=fetcher, parser=parser, now=NOW)

    with pytest.raises(FetchError, match=r"nowhere\.invalid"):
        asyncio.run(run())
