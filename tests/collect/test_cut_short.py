"""Documents that break off: cut on the way, or written by a publisher's program that died."""

import pytest

from newsletter.errors import ParseError
from newsletter.model.feed import Validators
from newsletter.model.item import PollReport
from tests.collect.makers import item, read_bytes, rss
from tests.collect.polling import Site, with_site

THREE = rss(
    item("The tide returns to the old harbour", name="tide"),
    item("A lighthouse keeper counts the ships", name="ships"),
    item("Bakers wake before the first tram", name="bakers"),
)
BEHIND_TWO = THREE[: THREE.index(b"<item><title>Bakers")]
IN_THE_HEAD = THREE[: THREE.index(b"</title>")]
AFTER_TWO = "the document breaks off after 2 items"
BEFORE_ANY = "the document breaks off before its first item"


def test_the_items_before_a_break_are_read_and_counted() -> None:
    parsed = read_bytes(BEHIND_TWO)
    assert (len(parsed.entries), parsed.cut_after) == (2, 2)


def test_an_item_that_is_itself_cut_does_not_count_as_one_before_the_break() -> None:
    assert read_bytes(THREE[: THREE.index(b" wake before")]).cut_after == 2


@pytest.mark.parametrize("document", [IN_THE_HEAD, b'<?xml version="1.0"?><rss version="2.', b"<feed><title>Sample"])
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
