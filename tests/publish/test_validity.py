"""What the validators of the W3C and of jsonfeed.org ask of a document, rule by rule."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from lxml import etree

from newsletter.publish.paging import newest_page, past_page
from newsletter.publish.publish import Form
from tests.publish.samples import ARABIC, HOSTILE, LEAD, PUBLICATION, an_edition, made

ATOM = "{http://www.w3.org/2005/Atom}"
HUB = "https://hub.example/"
FOLLOWED = replace(PUBLICATION, hub=HUB)
EDITIONS = (an_edition(2, LEAD, HOSTILE), an_edition(1, LEAD, ARABIC))
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
RFC_822 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"
)


def root(form: Form, *, page: int | None = None) -> Any:
    shown = past_page(page, newest=31) if page else newest_page(31)
    return etree.fromstring(made(form, *EDITIONS, page=shown, publication=FOLLOWED))


def document(*, page: int | None = None) -> Any:
    shown = past_page(page, newest=31) if page else newest_page(31)
    return json.loads(made(Form.JSON, *EDITIONS, page=shown, publication=FOLLOWED))


def assert_absolute(*urls: str | None) -> None:
    for url in urls:
        assert url is not None
        parts = urlsplit(url)
        assert parts.scheme in {"http", "https"}, url
        assert parts.hostname, url
        assert re.fullmatch(r"[!-~]+", url), url


def children(element: Any) -> Counter[str]:
    return Counter(str(child.tag) for child in element)


def test_rss_has_each_element_once_where_it_may_be_once_and_those_that_must_be_there() -> None:
    (channel,) = root(Form.RSS)
    counted = children(channel)
    assert [counted[tag] for tag in ("title", "link", "description", "language", "lastBuildDate")] == [1] * 5
    for item in channel.iter("item"):
        counted = children(item)
        assert [counted[tag] for tag in ("title", "link", "guid", "pubDate", "source")] == [1] * 5
        assert counted["description"] <= 1
        assert counted["enclosure"] <= 1
        assert counted["author"] == 0, "it would have to be a mail address"


def test_rss_writes_dates_as_rfc_822_does_and_atom_and_json_feed_as_rfc_3339_does() -> None:
    rss = [element.text for tag in ("pubDate", "lastBuildDate") for element in root(Form.RSS).iter(tag)]
    assert all(RFC_822.fullmatch(date) and parsedate_to_datetime(date) for date in rss)
    atom = [element.text for tag in ("updated", "published") for element in root(Form.ATOM).iter(f"{ATOM}{tag}")]
    json_feed = [item[key] for item in document()["items"] for key in ("date_published", "date_modified")]
    assert len(rss) == 1 + 4
    assert len(json_feed) == 8
    assert all(RFC_3339.fullmatch(date) and datetime.fromisoformat(date) for date in (*atom, *json_feed))


def test_ids_are_uris_of_their_own_and_the_same_in_every_form() -> None:
    rss = [guid.text for guid in root(Form.RSS).iter("guid")]
    assert {guid.get("isPermaLink") for guid in root(Form.RSS).iter("guid")} == {"false"}
    atom = [entry.findtext(f"{ATOM}id") for entry in root(Form.ATOM).iter(f"{ATOM}entry")]
    assert rss == atom == [item["id"] for item in document()["items"]]
    assert len(set(rss)) == len(rss)
    assert all(re.fullmatch(r"tag:[a-z0-9.-]+,\d{4}-\d\d-\d\d:[!-~]+", each) for each in rss)


def test_every_address_is_absolute_and_ascii() -> None:
    atom = [link.get("href") for link in root(Form.ATOM).iter(f"{ATOM}link")]
    rss = root(Form.RSS)
    plain = [link.text for link in rss.iter("link")]
    named = [element.get("url") for tag in ("source", "enclosure") for element in rss.iter(tag)]
    linked = [link.get("href") for link in rss.iter(f"{ATOM}link")]
    assert_absolute(*atom, *plain, *named, *linked)
    found = document()
    assert_absolute(found["home_page_url"], found["feed_url"], *(item["url"] for item in found["items"]))


@pytest.mark.parametrize("page", [None, 2])
def test_a_document_says_where_it_is_itself(page: int | None) -> None:
    query = f"?page={page}" if page else ""
    for form in (Form.ATOM, Form.RSS):
        top = root(form, page=page)
        links = (top if form is Form.ATOM else top[0]).findall(f"{ATOM}link")
        selves = [link.get("href") for link in links if link.get("rel") == "self"]
        assert selves == [f"https://news.example.org/feeds/brief.{form}{query}"]
    assert document(page=page)["feed_url"] == f"https://news.example.org/feeds/brief.json{query}"


def test_the_newest_document_names_the_hub_and_those_of_the_past_have_none() -> None:
    for page, hubs in ((None, [HUB]), (2, [])):
        for form in (Form.ATOM, Form.RSS):
            found = [link.get("href") for link in root(form, page=page).iter(f"{ATOM}link") if link.get("rel") == "hub"]
            assert found == hubs
        assert [hub["url"] for hub in document(page=page).get("hubs", [])] == hubs
    assert b'rel="hub"' not in made(Form.ATOM)


def test_json_feed_has_what_its_version_asks_for() -> None:
    found = document()
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    assert isinstance(found["title"], str)
    for item in found["items"]:
        assert isinstance(item["id"], str)
        assert ("content_html" in item) != ("content_text" in item)
        assert all(isinstance(author["name"], str) for author in item.get("authors", []))
        assert all(set(each) >= {"url", "mime_type"} for each in item.get("attachments", []))
        assert all(name.startswith("_") or name in ALLOWED for name in item)


ALLOWED = {
    "id", "url", "external_url", "title", "content_html", "content_text", "summary", "image", "banner_image",
    "date_published", "date_modified", "authors", "tags", "language", "attachments",
}  # fmt: skip
