"""Feeds of what we published, as programs ask for them."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from newsletter.app import App
from newsletter.errors import NotFoundError
from newsletter.mailbox.server import MailboxServer
from newsletter.model.edition import EditionState
from newsletter.model.publication import Mailbox, MailingList, Publication
from newsletter.model.settings import Collect, Secret, Settings
from newsletter.site import open_site
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.web.public import public_app
from newsletter.web.syndication import Syndication
from newsletter.web.views import Views
from tests.made import made_store
from tests.site.program import Program, feed_file
from tests.store.samples import LATER, add_items, add_people, draft_of, freeze, rendered_of

PUBLICATION = Publication(
    name="The Example Brief",
    base_url="http://127.0.0.1:8080",
    sender=Mailbox(name="The Example Brief", address="brief@news.example.org"),
    reply_to=None,
    bounce_address="bounces@bounce.example.org",
    language="en",
    timezone="Europe/London",
    postal_address="1 Example Street, London",
)
BRIEF = MailingList(id="brief", title='The "Brief" & more')


@dataclass
class Site:
    """A site that has published."""

    store: Store
    editions: Editions
    settings: Settings

    def publish(self, number: int, *, state: EditionState = EditionState.APPROVED, list_id: str = "brief") -> str:
        draft = draft_of(add_items(self.store, 1), edition_id=f"{list_id}-{number}", number=number, list_id=list_id)
        freeze(self.store, draft, state=state)
        return draft.id

    def get(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        async def answer() -> httpx.Response:
            routes = [Route("/feeds/{list}.{form}", self.syndication.feed)]
            pages = Starlette(routes=routes, exception_handlers={NotFoundError: _not_found})
            transport = httpx.ASGITransport(pages)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
                asked = {"accept-encoding": "identity"} | {
                    name.replace("_", "-"): value for name, value in headers.items()
                }
                return await client.request(method, path, headers=asked)

        return asyncio.run(answer())

    def __post_init__(self) -> None:
        self.syndication = Syndication(self)


async def _not_found(_: Any, error: Exception) -> Any:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(str(error), status_code=404)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with made_store(tmp_path) as store:
        settings = Settings(
            publication=PUBLICATION,
            store_url=Secret(""),
            relays=(),
            collect=Collect(user_agent_contact=""),
            lists=(BRIEF,),
        )
        yield Site(store, Editions(store), settings)


FORMS = {"atom": "application/atom+xml", "rss": "application/rss+xml", "json": "application/feed+json"}


@pytest.mark.parametrize(("form", "content_type"), FORMS.items())
def test_a_feed_is_served_in_every_form(site: Site, form: str, content_type: str) -> None:
    site.publish(1)
    answer = site.get(f"/feeds/brief.{form}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, f"{content_type}; charset=utf-8")
    assert "https://observatory.example/rivers" in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("form", FORMS)
def test_nothing_that_waits_or_was_called_off_is_in_a_feed_and_nothing_of_any_reader(site: Site, form: str) -> None:
    add_people(site.store, 3)
    site.publish(1)
    waiting, gone = site.publish(2, state=EditionState.AWAITING), site.publish(3)
    site.editions.move(gone, EditionState.CANCELLED, now=LATER)
    site.publish(4, list_id="other")

    text = site.get(f"/feeds/brief.{form}").text

    assert "/archive/brief/1" in text
    assert not [number for number in (2, 3, 4) if f"brief/{number}" in text]
    assert "other" not in text
    nonce = rendered_of(site.editions.pieces(waiting)).nonce
    assert nonce not in text
    assert "@" not in text
    site.editions.move(waiting, EditionState.APPROVED, now=LATER)
    assert "/archive/brief/2" in site.get(f"/feeds/brief.{form}").text


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("accepted", ["identity", "gzip, br"])
def test_who_has_it_already_is_sent_nothing(site: Site, form: str, accepted: str) -> None:
    first = site.publish(1)
    path = f"/feeds/brief.{form}"
    whole = site.get(path, accept_encoding=accepted)
    etag, modified = whole.headers["etag"], whole.headers["last-modified"]

    for asked in ({"if_none_match": etag}, {"if_none_match": f'"x", W/{etag}'}, {"if_modified_since": modified}):
        again = site.get(path, accept_encoding=accepted, **asked)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert site.get(path, if_none_match='"x"', if_modified_since=modified).status_code == 200

    site.editions.move(site.publish(2), EditionState.PAUSED, now=LATER)
    assert site.get(path, accept_encoding=accepted, if_none_match=etag).status_code == 200
    assert site.get(path, if_modified_since=modified).status_code == 200
    site.editions.move("brief-2", EditionState.CANCELLED, now=LATER)
    changed = site.get(path, accept_encoding=accepted)
    assert changed.headers["etag"] == etag, "the same as before"
    site.editions.move(first, EditionState.CANCELLED, now=LATER)
    assert site.get(path, if_modified_since=modified).status_code == 200


def test_it_is_packed_for_whom_that_suits(site: Site) -> None:
    for number in range(1, 9):
        site.publish(number)
    plain, packed = (site.get("/feeds/brief.atom", accept_encoding=each) for each in ("identity", "br;q=1, gzip;q=0.5"))
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 3
    assert len(gzip.compress(plain.content, mtime=0)) == int(packed.headers["content-length"])
    assert packed.headers["etag"] != plain.headers["etag"]
    assert {answer.headers["vary"] for answer in (plain, packed)} == {"accept-encoding"}
    assert "content-encoding" not in site.get("/feeds/brief.atom", accept_encoding="gzip;q=0").headers


def test_all_that_was_ever_published_is_reached_from_the_newest(site: Site) -> None:
    for number in range(1, 24):
        site.publish(number)
    path, editions = "/feeds/brief.json", set()
    for _ in range(10):
        document = site.get(path).json()
        editions |= {item["_newsletter"]["edition"]["url"] for item in document["items"]}
        if "next_url" not in document:
            break
        path = document["next_url"].removeprefix("http://127.0.0.1:8080")
    assert editions == {f"http://127.0.0.1:8080/archive/brief/{number}" for number in range(1, 24)}


@pytest.mark.parametrize(
    "path",
    [
        "none.atom", "brief.xml", "brief.", ".atom", "brief.atom?page=0", "brief.atom?page=1", "brief.atom?page=-1",
        "brief.atom?page=x", "brief.atom?page=%D9%A1", "brief.atom?page=", "brief.atom?page=99999999999999999999", "brief.ATOM",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(site: Site, path: str) -> None:
    site.publish(1)
    assert site.get(f"/feeds/{path}").status_code == 404


def test_a_list_without_editions_can_be_followed(site: Site) -> None:
    answer = site.get("/feeds/brief.json")
    assert json.loads(answer.text)["items"] == []
    assert "last-modified" not in answer.headers
    assert site.get("/feeds/brief.json", if_none_match=answer.headers["etag"]).status_code == 304


@pytest.mark.parametrize("form", FORMS)
def test_a_hub_is_told_in_the_headers_too_with_what_to_subscribe_to(site: Site, form: str) -> None:
    site.publish(1)
    site.settings = replace(site.settings, publication=replace(PUBLICATION, hub="https://hub.example/"))

    answer = site.get(f"/feeds/brief.{form}")

    links = {relation: link["url"] for relation, link in answer.links.items()}
    assert links == {"hub": "https://hub.example/", "self": f"http://127.0.0.1:8080/feeds/brief.{form}"}
    assert site.get(f"/feeds/brief.{form}", if_none_match=answer.headers["etag"]).links == answer.links


def test_pages_of_a_list_tell_where_its_feeds_are() -> None:
    views = Views(PUBLICATION)
    request = Request({"type": "http", "method": "GET", "path": "/archive/brief", "query_string": b"", "headers": []})
    page = bytes(views.page(request, "editions", editions=[], older=None, follow=BRIEF).body).decode()
    for form, content_type in FORMS.items():
        title = "The &#34;Brief&#34; &amp; more"
        url = f"http://127.0.0.1:8080/feeds/brief.{form}"
        assert f'<link rel="alternate" type="{content_type}" title="{title}" href="{url}">' in page
        assert f'<a href="{url}">' in page
    assert "/feeds/" not in bytes(views.page(request, "archive", lists=[]).body).decode()


def test_the_public_pages_serve_feeds_and_say_so(tmp_path: Path) -> None:
    program = Program(tmp_path / "site", MailboxServer(port=1), web_port=8080)
    program.configure(harbour=feed_file("https://harbour.example/feed"))
    app = App.open(open_site(program.folder))

    async def answers(*paths: str) -> list[httpx.Response]:
        transport = httpx.ASGITransport(public_app(app, Views(app.settings.publication)))
        async with httpx.AsyncClient(transport=transport, base_url=program.base_url) as client:
            return [await client.get(path) for path in paths]

    try:
        *pages, feed, none = asyncio.run(
            answers("/lists/brief", "/archive/brief", "/feeds/brief.atom", "/feeds/none.atom")
        )
    finally:
        app.close()
    assert [page.text.count(f'href="{program.base_url}/feeds/brief.atom"') for page in pages] == [2, 2]
    assert (feed.status_code, none.status_code) == (200, 404)
