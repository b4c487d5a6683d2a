"""Polls that bring too much, or less than before: through a server, a store and all between."""

from datetime import timedelta
from email.utils import format_datetime

from newsletter.model.feed import FeedState
from newsletter.model.item import ItemState
from tests.collect.makers import NOW, item, rss
from tests.collect.polling import Site, with_site


def dated(number: int, *, text: str = "", name: str = "report") -> str:
    """A piece of its own, an hour younger than the one before."""
    when = format_datetime(NOW - timedelta(days=5) + timedelta(hours=number))
    body = (
        text or f"What happened in hour {number} of the count, told in a sentence of its own that has number {number}."
    )
    return item(
        f"Report number {number} of the count",
        body=body,
        name=f"{name}-{number}-of-the-count",
        more=f"<pubDate>{when}</pubDate>",
    )


def window(*numbers: int) -> bytes:
    return rss(*(dated(number) for number in numbers))


async def serve(site: Site, body: bytes, *, etag: str) -> None:
    site.server.serve_feed(body, etag=f'"{etag}"')


@with_site
async def test_a_flood_lets_the_newest_in_and_holds_the_feed_until_it_is_released(site: Site) -> None:
    feed = site.feed(first_poll=5)
    await serve(site, window(*range(5, 0, -1)), etag="1")
    await site.poll(feed)
    await serve(site, window(*range(30, 5, -1)), etag="2")
    report = await site.later(25, feed)
    assert (report.new, report.held, report.failed) == (5, 20, False)
    assert site.health().state is FeedState.HELD
    assert "20 items that came at once are held" in (report.because or "")
    newest = {each.entry.headline for each in site.listed(ItemState.ACCEPTED)}
    assert "Report number 30 of the count" in newest
    assert "Report number 6 of the count" not in newest
    await site.later(25, feed)
    assert site.health().state is FeedState.HELD
    assert "feeds release courier" in (site.health().wrong or "")
    assert site.feeds.release("courier", ItemState.ACCEPTED, because="released by the operator") == 20
    assert site.health().state is FeedState.ACTIVE
    assert len(site.listed(ItemState.ACCEPTED)) == 30


@with_site
async def test_a_flood_in_two_parts_is_held_in_both(site: Site) -> None:
    feed = site.feed(first_poll=5)
    await serve(site, window(1), etag="1")
    await site.poll(feed)
    await serve(site, window(*range(20, 1, -1)), etag="2")
    assert (await site.later(25, feed)).held == 14
    await serve(site, window(*range(32, 20, -1), *range(20, 15, -1)), etag="3")
    report = await site.later(25, feed)
    assert (report.new, report.held) == (5, 7)


@with_site
async def test_a_feed_that_renames_all_it_has_brings_no_news(site: Site) -> None:
    await serve(site, window(*range(8, 0, -1)), etag="1")
    await site.poll()
    await serve(site, rss(*(dated(number, name="node") for number in range(8, 0, -1))), etag="2")
    report = await site.later()
    assert (report.new, report.held, report.known) == (0, 0, 8)
    assert len(site.listed()) == 8


@with_site
async def test_a_piece_that_is_taken_out_is_retracted_when_the_feed_says_so_twice(site: Site) -> None:
    await serve(site, window(5, 4, 3, 2, 1), etag="1")
    await site.poll()
    await serve(site, window(5, 4, 2, 1), etag="2")
    assert (await site.later()).retracted == 0
    report = await site.later()
    assert (report.status, report.retracted) == (304, 1)
    (gone,) = site.listed(ItemState.RETRACTED)
    assert gone.entry.headline == "Report number 3 of the count"
    assert (await site.later()).retracted == 0
    await serve(site, window(5, 4, 3, 2, 1), etag="3")
    await site.later()
    assert site.listed(ItemState.RETRACTED) == ()


@with_site
async def test_a_failure_in_between_is_no_second_sight(site: Site) -> None:
    await serve(site, window(5, 4, 3, 2, 1), etag="1")
    await site.poll()
    await serve(site, window(5, 4, 2, 1), etag="2")
    await site.later()
    site.server.serve(status=503)
    assert (await site.later()).retracted == 0
    assert site.listed(ItemState.RETRACTED) == ()


@with_site
async def test_pieces_that_newer_ones_push_out_stay_what_they_are(site: Site) -> None:
    for newest in range(6, 15):
        await serve(site, window(*range(newest, newest - 5, -1)), etag=str(newest))
        assert (await site.later()).retracted == 0
    assert site.listed(ItemState.RETRACTED) == ()


@with_site
async def test_a_correction_is_a_change_and_a_typo_put_right_is_none(site: Site) -> None:
    text = "The gauge at Vell stood at 212 centimetres on Monday, which nobody had expected, and fell on Tuesdy again."
    await serve(site, rss(dated(2), dated(1, text=text)), etag="1")
    await site.poll()
    await serve(site, rss(dated(2), dated(1, text=text.replace("Tuesdy", "Tuesday"))), etag="2")
    assert (await site.later()).changed == 0
    await serve(site, rss(dated(2), dated(1, text=text.replace("212", "221"))), etag="3")
    assert (await site.later()).changed == 1
    (item,) = (each for each in site.listed() if each.changed_at)
    (revision,) = site.items.revisions([item.id])[item.id]
    assert "212" in revision.text
    assert "Tuesday" in revision.text
    assert revision.because.startswith("text: ")
