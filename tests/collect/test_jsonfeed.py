"""JSON Feed: read into the same entries as XML, and as wary."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter.collect.body import Body
from newsletter.collect.worker import Parser
from newsletter.errors import ParseError
from newsletter.model.item import Entry
from tests.collect.makers import NOW, Memory, a_feed, item, read_bytes, rss

VERSION = "https://jsonfeed.org/version/1.1"
BODY = "<p>The gates opened at dawn.</p><p>By noon the valley had a lake again.</p>"


def document(*items: Any, **feed: Any) -> bytes:
    return json.dumps({"version": VERSION, "title": "The Courier", "items": list(items)} | feed).encode()


def an_item(name: str = "a-dam-learns-to-let-go", **fields: Any) -> dict[str, Any]:
    return {
        "id": name,
        "url": f"https://courier.example/2026/{name}",
        "title": f"Title of {name}",
        "content_html": BODY,
    } | fields


def entries(*items: Any, **feed: Any) -> list[Entry]:
    return [keyed.entry for keyed in read_bytes(document(*items, **feed)).entries]


def entry(**fields: Any) -> Entry:
    (found,) = entries(an_item(**fields))
    return found


def test_every_field_that_a_digest_shows_is_read() -> None:
    found = entry(
        title="A dam learns to let go",
        summary="What the valley remembers.",
        authors=[{"name": "By Nora Fenwick"}, {"url": "https://x.example/"}, {"name": "Piet Mauro"}],
        tags=["Analysis", "Rivers", "uncategorized"],
        image="/pictures/dam.jpg",
        language="en-GB",
        date_published="2026-03-05T09:00:00+02:00",
        date_modified="2026-03-05T08:00:00Z",
    )
    assert (found.guid, found.url) == (
        "a-dam-learns-to-let-go",
        "https://courier.example/2026/a-dam-learns-to-let-go",
    )
    assert (found.headline, found.dek) == ("A dam learns to let go", "What the valley remembers.")
    assert (found.byline, found.section_line) == ("Nora Fenwick and Piet Mauro", "Analysis | Rivers")
    assert found.text == "The gates opened at dawn.\n\nBy noon the valley had a lake again."
    assert found.image is not None
    assert found.image.url == "https://courier.example/pictures/dam.jpg"
    assert found.language == "en-GB"
    assert (found.published_at, found.updated_at) == (
        datetime(2026, 3, 5, 7, tzinfo=UTC),
        datetime(2026, 3, 5, 8, tzinfo=UTC),
    )


def test_the_same_piece_as_xml_is_the_same_item() -> None:
    memory, feed = Memory(), a_feed()
    xml = rss(item("A dam learns to let go", body=BODY, name="a-dam-learns-to-let-go"))
    as_json = an_item(title="A dam learns to let go", url="https://courier.example/a-dam-learns-to-let-go")
    memory.poll(feed, *(keyed.entry for keyed in read_bytes(xml).entries))
    (decision,) = memory.poll(feed, *entries(as_json))
    assert (decision.item_id, decision.verdict) == (1, "known")


def test_plain_text_keeps_its_paragraphs_and_its_angle_brackets() -> None:
    found = entry(content_html=None, content_text="If a < b.\n\nThen b > a.")
    assert found.text == "If a < b.\n\nThen b > a."
    assert found.html == "<p>If a &lt; b.</p>\n<p>Then b &gt; a.</p>"


def test_markup_is_cleaned_as_that_of_xml_is() -> None:
    found = entry(content_html='<p onclick="x()">Fine.</p><script>alert(1)</script><a href="javascript:x()">y</a>')
    assert found.text == "Fine.\n\ny"
    assert "script" not in found.html
    assert "onclick" not in found.html


def test_version_1_0_and_its_single_author_are_read() -> None:
    found = read_bytes(document(an_item(author={"name": "Ann"}), version="https://jsonfeed.org/version/1")).entries
    assert found[0].entry.byline == "Ann"


def test_an_items_authors_come_before_those_of_the_feed() -> None:
    first, second = entries(an_item("one"), an_item("two", authors=[{"name": "Piet"}]), authors=[{"name": "Ann"}])
    assert (first.byline, second.byline) == ("Ann", "Piet")


@pytest.mark.parametrize(
    ("pictures", "wanted"),
    [
        ({"image": "/a.jpg", "banner_image": "/b.jpg"}, "a.jpg"),
        ({"banner_image": "/b.jpg"}, "b.jpg"),
        (
            {"attachments": [{"url": "/c.mp3", "mime_type": "audio/mpeg"}, {"url": "/d.png", "mime_type": "image/png"}]},
            "d.png",
        ),
    ],
)  # fmt: skip
def test_pictures_are_the_items_own_then_its_banner_then_what_is_attached(pictures: Any, wanted: str) -> None:
    found = entry(**pictures).image
    assert found is not None
    assert found.url == f"https://courier.example/{wanted}"


@pytest.mark.parametrize("given", [4711, "4711"])
def test_an_id_that_is_a_number_names_the_same_item_as_its_digits(given: object) -> None:
    assert entry(id=given).guid == "4711"


@pytest.mark.parametrize(
    "date", ["", "yesterday", "9999-12-31T23:59:59-12:00", "0000-00-00", 5, None, [], "9" * 5000, "2026-03-05T09:00:00+99:00"]
)  # fmt: skip
def test_a_bad_date_costs_the_date_alone(date: object) -> None:
    assert entry(date_published=date).published_at is None


def test_dates_without_a_zone_and_dates_of_mails_are_understood() -> None:
    assert entry(date_published="2026-03-05T09:00:00").published_at == datetime(2026, 3, 5, 9, tzinfo=UTC)
    assert entry(date_published="Thu, 05 Mar 2026 09:00:00 +0100").published_at == datetime(2026, 3, 5, 8, tzinfo=UTC)


def test_fields_of_wrong_types_count_as_absent() -> None:
    found = entry(summary={"x": 1}, authors="Ann", tags="a", image=["x"], attachments={"url": "y"}, language=3, url=9)
    assert (found.byline, found.categories, found.image, found.dek) == ("", (), None, "")


def test_items_that_say_nothing_are_left_out() -> None:
    assert len(entries({}, {"id": "x"}, None, 3, "x", [], an_item(), {"title": "Only a title"})) == 2


@pytest.mark.parametrize(
    ("content", "because"),
    [
        (b"{", "the JSON is broken in line 1, column 2"),
        (b'{"version": "https://jsonfeed.org/version/1.1"', "broken"),
        (b'{"a": 1}', "no JSON Feed"),
        (b"[]", "no JSON Feed"),
        (b'{"version": 1.1, "items": []}', "no JSON Feed"),
        (b'{"version": "https://jsonfeed.org/version/1.1", "items": {}}', "no list of items"),
        (b"[" * 500_000, "nested too deeply"),
        (
            document(an_item()).replace(b'"id"', b'"x": ' + b'{"a":' * 90_000 + b"1" + b"}" * 90_000 + b', "id"'),
            "deeply",
        ),
    ],
)
def test_what_is_no_json_feed_is_refused_in_words(content: bytes, because: str) -> None:
    with pytest.raises(ParseError, match=because):
        read_bytes(content)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b" \r\n\t"])
def test_json_is_known_by_its_first_character_whatever_it_is_called(mark: bytes) -> None:
    assert len(read_bytes(mark + document(an_item()), content_type="text/html").entries) == 1


def test_other_encodings_are_read_by_their_mark() -> None:
    text = document(an_item(title="مرصد الأنهار يعود")).decode()
    for encoding in ("utf-16", "utf-8-sig"):
        (keyed,) = read_bytes(json.dumps(json.loads(text), ensure_ascii=False).encode(encoding)).entries
        assert keyed.entry.headline == "مرصد الأنهار يعود"


def test_an_error_page_called_json_is_named_for_what_it_is() -> None:
    with pytest.raises(ParseError, match="HTML page"):
        read_bytes(b"<!doctype html><html><title>Oops</title>", content_type="application/feed+json")
    with pytest.raises(ParseError, match="JSON is broken"):
        read_bytes(b"Not found", content_type="application/json")
    with pytest.raises(ParseError, match="empty"):
        read_bytes(b"", content_type="application/json")


def test_numbers_of_any_size_cost_nothing() -> None:
    huge = document(an_item(id="HUGE")).replace(b'"HUGE"', b"9" * 100_000).replace(b'"tags"', b'"t": 1e999999, "tags"')
    (keyed,) = read_bytes(huge).entries
    assert (keyed.entry.guid or "").startswith("sha256:")


def test_half_characters_and_controls_do_not_reach_an_entry() -> None:
    bad = "\ud800Bad\udfff\u0000\u202e\nBcc: x"
    found = entry(id=bad, title=bad, summary=bad, content_html=f"<p>{bad}</p>", tags=[bad], authors=[{"name": bad}])
    for text in (found.headline, found.dek, found.byline, found.guid or "", *found.categories, found.html, found.text):
        text.encode("utf-8")
        assert not {"\u202e", "\x00"} & set(text)
    assert "\n" not in found.headline


def test_raw_line_breaks_inside_a_text_are_forgiven() -> None:
    found = read_bytes(document(an_item(title="A-B")).replace(b"A-B", b"A\n\tB")).entries
    assert found[0].entry.headline == "A B"


def test_an_id_used_twice_loses_neither_piece_and_makes_no_third() -> None:
    memory, feed = Memory(), a_feed()
    pieces = entries(
        an_item("same", url="https://courier.example/2026/first-of-two", title="The first headline of all"),
        an_item("same", url="https://courier.example/2026/second-of-two", title="Something else entirely", content_html="<p>Other.</p>"),
    )  # fmt: skip
    assert len(memory.poll(feed, *pieces)) == 2
    assert {decision.verdict for decision in memory.poll(feed, *pieces)} == {"known"}
    assert len(memory.items_by_id) == 2


def test_known_items_are_not_read_again_whatever_their_order_and_extensions() -> None:
    feed, items = a_feed(), [an_item("one"), an_item("two")]
    whole = read_bytes(document(*items), feed)
    digests = frozenset(keyed.entry.source_digest for keyed in whole.entries)
    again = document(*({"_views": 7} | dict(reversed(one.items())) for one in items), an_item("three"))

    async def parsed() -> tuple[int, list[str]]:
        async with Parser() as parser:
            body = Body(feed=feed, content=again, url=feed.url)
            found = await parser.parse(body, lambda asked: digests & frozenset(asked), now=NOW)
        return found.known, [keyed.entry.headline for keyed in found.entries]

    assert asyncio.run(parsed()) == (2, ["Title of three"])


def test_a_large_document_is_read_in_a_process_and_alike() -> None:
    feed = a_feed()
    large = document(*(an_item(f"piece-number-{at}") for at in range(2000)))

    async def run() -> None:
        async with Parser(processes=1) as parser:
            found = await parser.parse(Body(feed=feed, content=large, url=feed.url), lambda _: frozenset(), now=NOW)
            assert [slot.process is not None for slot in parser._slots] == [True]
            assert found == read_bytes(large, feed)

    asyncio.run(run())
