"""Feeds that mean harm: each is read into something harmless, or refused."""

import re

import pytest

from newsletter.collect.clean import TAGS
from newsletter.model.item import Entry
from tests.collect.makers import item, read_bytes, rss

TITLES = [
    "=?utf-8?q?a?=\r\nBcc: victim@example.org",
    "Line\u2028separator\u2029and\x85next",
    "Nul\x00and\x1bescape",
    "Override \u202e txet \u2066isolate",
    "{{ lead.headline }} {% for x in y %}",
    "a]]&gt;b",
    "&lt;script&gt;alert(1)&lt;/script&gt; Tags",
    "&lt;img src=x onerror=alert(1)&gt; Image",
    "nl0000unsubscribe",
    "x" * 2000,
    "word " * 400,
    "\u200b\u200b\u200b",
    "Zero\u200bwidth\ufeffpadding\u00ad",
    "&amp;lt;b&amp;gt; twice escaped",
    "Tab\tand    spaces",
    "é decomposed e\u0301",
]


def _entry(title: str = "A headline", **more: str) -> Entry | None:
    found = read_bytes(rss(item(title, **more))).entries
    return found[0].entry if found else None


@pytest.mark.parametrize("title", TITLES)
def test_a_headline_is_one_safe_line(title: str) -> None:
    entry = _entry(title, body="Some text.")
    assert entry is not None
    assert 0 < len(entry.headline) <= 500
    assert entry.headline.isprintable()
    assert "=?" not in entry.headline
    assert not re.search("[\r\n\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b\ufeff]", entry.headline)


def test_a_placeholder_or_a_template_in_a_headline_stays_plain_text() -> None:
    entry = _entry("{{ 7 * 7 }} nl0000unsubscribe")
    assert entry is not None
    assert entry.headline == "{{ 7 * 7 }} nl0000unsubscribe"


@pytest.mark.parametrize("name", ["dc:creator", "category", "guid"])
def test_other_short_fields_are_lines_too(name: str) -> None:
    bad = "Ann\nBcc: victim@example.org\u2028\u202e{{ x }}"
    document = rss(
        f"<item><title>A headline</title><{name} xmlns:dc='http://purl.org/dc/elements/1.1/'>{bad}</{name}></item>"
    )
    (keyed,) = read_bytes(document).entries
    entry = keyed.entry
    for value in (entry.byline, entry.section_line, *entry.categories):
        assert "\n" not in value
        assert "\u202e" not in value
    assert "\u202e" not in (entry.guid or "")


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script><p>Fine.</p>",
        '<p>Fine.</p><a href="javascript:alert(1)">x</a>',
        "<p>Fine.]]]]><![CDATA[></p>",
        "<p>Fine.</p>" + "<div>" * 2000,
        "<p>Fine.</p><!--" + "<!--" * 3000,
        "<p>Fine.</p>" + "&" * 5000,
        "<p>Fine.</p><p>" + "[caption " * 3000,
    ],
)  # fmt: skip
def test_a_body_is_cleaned_in_little_time(body: str) -> None:
    entry = _entry(body=body)
    assert entry is not None
    assert entry.text.startswith("Fine.")
    assert not set(re.findall(r"<([a-z0-9]+)", entry.html)) - TAGS
    assert "alert" not in entry.html


def test_a_picture_cannot_smuggle_an_address() -> None:
    media = '<media:content xmlns:media="http://search.yahoo.com/mrss/" medium="image" url="javascript:alert(1)"/>'
    entry = _entry(more=media)
    assert entry is not None
    assert entry.image is None


def test_a_document_cut_off_in_the_middle_gives_the_items_that_are_there_whole() -> None:
    whole = rss(item("First of two", name="one-one-one"), item("Second of two", name="two-two-two"))
    found = [keyed.entry.headline for keyed in read_bytes(whole[: len(whole) - 60]).entries]
    assert found == ["First of two"]


def test_many_comments_cost_nothing() -> None:
    bomb = b'<?xml version="1.0"?>' + b"<!-- -->" * 20000 + rss(item()).removeprefix(b'<?xml version="1.0"?>')
    assert len(read_bytes(bomb).entries) == 1


def test_a_thousand_items_with_one_guid_are_not_one() -> None:
    items = (
        f"<item><title>Story number {at}</title><guid>same</guid><link>https://x.example/s/{at}</link></item>"
        for at in range(1000)
    )
    assert len(read_bytes(rss(*items)).entries) == 1000
