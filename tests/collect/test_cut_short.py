"""Documents that break off: cut on the way, or written by a publisher's program that died."""

import re

import pytest

from newsletter.errors import ParseError
from newsletter.model.feed import Validators
from newsletter.model.item import PollReport
from tests.collect.makers import DATA, item, read_bytes, rss
from tests.collect.polling import Site, with_site

THREE = rss(
    item("The tide returns to the old harbour", name="tide"),
    item("A lighthouse keeper counts the ships", name="ships"),
    item("Bakers wake before the first tram", name="bakers"),
)
BEHIND_TWO = THREE[: THREE.index(b"<item><title>Bakers")]
IN_THE_HEAD = THREE[: THREE.index(b"</title>")]
RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
<channel rdf:about="https://courier.example/"><title>Sample</title><items><rdf:Seq/></items></channel>
<item rdf:about="https://courier.example/1"><title>The tide returns</title><link>https://courier.example/1</link></item>
<item rdf:about="https://courier.example/2"><title>Bakers wake</title><link>https://courier.example/2</link></item>
</rdf:RDF>"""
FLOOD = rss(
    item("The tide returns to the old harbour", name="tide"),
    *(item(f"Report {number} of the count", name=f"report-{number}") for number in range(20)),
)
AFTER_TWO = "the document breaks off after 2 items"
BEFORE_ANY = "the document breaks off before the end of its first item"


def test_the_items_before_a_break_are_read_and_counted() -> None:
    parsed = read_bytes(BEHIND_TWO)
    assert (len(parsed.entries), parsed.cut_after) == (2, 2)


def headlines(document: bytes) -> list[str]:
    return [one.entry.headline for one in read_bytes(document).entries]


def test_an_item_that_is_itself_cut_is_left_for_the_next_reading() -> None:
    half = THREE[: THREE.index(b" wake before")]
    assert read_bytes(half).cut_after == 2
    assert headlines(half) == ["The tide returns to the old harbour", "A lighthouse keeper counts the ships"]


def test_what_is_read_of_a_cut_document_is_what_the_whole_says_of_it() -> None:
    assert read_bytes(BEHIND_TWO).entries == read_bytes(THREE).entries[:2]


@pytest.mark.parametrize("whole", [(DATA / "atom.xml").read_bytes(), (DATA / "media-nested.xml").read_bytes(), RDF])
def test_every_form_is_read_until_it_breaks_off(whole: bytes) -> None:
    head, end, rest = re.split(rb"(</(?:item|entry)>)", whole, maxsplit=1)
    parsed = read_bytes(head + end + rest[:4])
    assert parsed.cut_after == 1
    assert parsed.entries == read_bytes(whole).entries[:1]


@pytest.mark.parametrize(
    "text", ["<![CDATA[How to write </item> and go on", "<!-- </item> <p>", "How to write &lt;/item>"]
)
def test_an_item_does_not_end_where_it_quotes_the_end_of_one(text: str) -> None:
    quoting = rss(item("The tide returns to the old harbour"), item("On tags", name="tags", body=text))
    half = quoting[: quoting.index(text.encode()) + len(text)]
    assert headlines(half) == ["The tide returns to the old harbour"]


@pytest.mark.parametrize(
    "document",
    [
        IN_THE_HEAD,
        THREE[: THREE.index(b" returns to")],
        b'<?xml version="1.0"?><rss version="2.',
        b"<feed><title>Sample",
    ],
)
def test_a_document_cut_before_any_item_is_not_read_and_says_why(document: bytes) -> None:
    with pytest.raises(ParseError, match=BEFORE_ANY):
        read_bytes(document)


@pytest.mark.parametrize("document", [rss(item("A & B")), rss(item()).replace(b"</channel>", b"") + b"<!-- served"])
def test_a_malformed_document_with_its_last_tag_does_not_break_off(document: bytes) -> None:
    parsed = read_bytes(document)
    assert (len(parsed.entries), parsed.cut_after) == (1, None)


@with_site
async def test_what_a_cut_document_has_is_taken_and_its_feed_says_where_it_breaks_off(site: Site) -> None:
    site.server.serve_feed(BEHIND_TWO)
    (report,) = await site.poll()
    assert report == PollReport(feed="courier", status=200, new=2, because=AFTER_TWO)
    assert (site.health().because, site.health().failures) == (AFTER_TWO, 0)


@with_site
async def test_a_feed_that_was_cut_once_is_asked_for_the_whole_of_the_same_version(site: Site) -> None:
    site.server.serve_feed(THREE)
    await site.poll()
    site.server.serve_feed(BEHIND_TWO.replace(b"counts the ships", b"counts the boats"), etag='"2"')
    assert (await site.later()).because == AFTER_TWO
    assert (site.health().validators, site.health().body_hash) == (Validators(), None)
    site.server.serve_feed(THREE, etag='"2"')
    report = await site.later()
    assert (report.status, report.because) == (200, None)
    assert {each.entry.headline for each in site.listed()} >= {"A lighthouse keeper counts the ships"}
    assert site.health().because is None


@with_site
async def test_a_half_read_item_waits_for_its_whole_text(site: Site) -> None:
    site.server.serve_feed(rss(item("Yesterday the ferry stayed in port", name="ferry")))
    await site.poll()
    site.server.serve_feed(THREE[: THREE.rindex(b"words.")], etag='"2"')
    assert (await site.later()).new == 2
    site.server.serve_feed(THREE, etag='"2"')
    report = await site.later()
    assert (report.new, report.changed) == (1, 0)
    (bakers,) = [each for each in site.listed() if each.entry.headline.startswith("Bakers")]
    assert bakers.entry.text == "Some words."


@with_site
async def test_a_held_feed_tells_for_as_long_as_it_is_so_that_its_document_breaks_off(site: Site) -> None:
    feed = site.feed(first_poll=2)
    site.server.serve_feed(THREE)
    await site.poll(feed)
    site.server.serve_feed(FLOOD, etag='"2"')
    await site.later(25, feed)
    held = site.health().wrong or ""
    assert held.startswith("items that came at once are held")
    for etag in ('"3"', '"4"'):
        site.server.serve_feed(FLOOD[: FLOOD.index(b"<item><title>Report 7")], etag=etag)
        await site.later(25, feed)
        assert site.health().wrong == f"{held}; the document breaks off after 8 items"
    site.server.serve_feed(FLOOD, etag='"5"')
    await site.later(25, feed)
    assert site.health().wrong == held


@with_site
async def test_a_held_feed_that_failed_once_tells_why_it_is_held_when_it_is_well_again(site: Site) -> None:
    feed = site.feed(first_poll=2)
    site.server.serve_feed(THREE)
    await site.poll(feed)
    site.server.serve_feed(FLOOD, etag='"2"')
    await site.later(25, feed)
    held = site.health().wrong
    site.server.serve("/feed", status=500)
    await site.later(25, feed)
    assert site.health().wrong == f"{held}; its server answered 500"
    site.server.serve_feed(FLOOD, etag='"3"')
    await site.later(49, feed)
    assert site.health().wrong == held


@with_site
async def test_a_cut_document_of_new_items_alone_is_no_gap(site: Site) -> None:
    site.server.serve_feed(rss(item("Yesterday the ferry stayed in port", name="ferry")))
    await site.poll()
    site.server.serve_feed(BEHIND_TWO, etag='"2"')
    assert (await site.later()).new == 2
    assert (site.health().because, site.health().habits.gap_at) == (AFTER_TWO, None)


@with_site
async def test_a_feed_cut_in_its_head_fails_like_any_that_cannot_be_read(site: Site) -> None:
    site.server.serve_feed(IN_THE_HEAD)
    (report,) = await site.poll()
    assert report == PollReport(feed="courier", status=200, failed=True, because=BEFORE_ANY)
    assert site.health().failures == 1
