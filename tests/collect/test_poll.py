"""Polls as a whole: a scripted server, the real store, real processes."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from newsletter.collect.poll import LEASE, poll
from newsletter.model.feed import FeedState, Filter, Validators
from newsletter.model.item import ItemState, PollReport
from newsletter.store.ports import Take
from tests.collect.makers import DATA, NOW, item, rss
from tests.collect.polling import Site, with_site
from tests.collect.server import a_fetcher
from tests.collect.texts import ARTICLE, NEW_LEAD, edited

WORDPRESS = (DATA / "wordpress.xml").read_bytes()


@with_site
async def test_a_first_poll_keeps_items_and_validators_and_a_second_asks_whether_anything_changed(site: Site) -> None:
    site.server.serve_feed(WORDPRESS, etag='W/"ü1"')
    (report,) = await site.poll()
    assert report == PollReport(feed="courier", status=200, new=2)
    assert len(site.listed(ItemState.ACCEPTED)) == 2
    assert site.health().validators == Validators(etag='W/"ü1"', last_modified="Wed, 04 Mar 2026 10:00:00 GMT")
    assert await site.later(2) == PollReport(feed="courier", status=304)
    assert site.server.asked[1].headers["If-None-Match"] == 'W/"ü1"'
    assert site.health().state is FeedState.ACTIVE


@with_site
async def test_a_headline_changed_in_one_entry_is_one_changed_item(site: Site) -> None:
    site.server.serve_feed(WORDPRESS)
    await site.poll()
    site.server.serve_feed(WORDPRESS.replace(b"one keeper", b"one rower"), etag='"2"')
    assert await site.later() == PollReport(feed="courier", status=200, changed=1, known=1)
    assert {each.entry.headline for each in site.listed()} >= {"Three lighthouses, one rower"}
    assert len(site.listed()) == 2


@with_site
async def test_a_body_that_is_the_same_is_not_read_again_though_its_validators_changed(site: Site) -> None:
    site.server.serve(body=WORDPRESS, headers={"ETag": '"1"'})
    await site.poll()
    site.server.serve(body=WORDPRESS, headers={"ETag": '"2"'})
    assert await site.later() == PollReport(feed="courier", status=304)
    assert site.health().validators == Validators(etag='"2"')


@with_site
async def test_validators_a_server_no_longer_sends_are_dropped(site: Site) -> None:
    site.server.serve(body=WORDPRESS, headers={"ETag": '"1"'})
    await site.poll()
    site.server.serve(body=WORDPRESS)
    await site.later()
    await site.later()
    assert "If-None-Match" not in site.server.asked[-1].headers


@with_site
async def test_a_first_poll_accepts_the_newest_and_knows_the_rest(site: Site) -> None:
    site.server.serve_feed(WORDPRESS)
    await site.poll(site.feed(first_poll=1))
    assert [each.entry.headline[:8] for each in site.listed(ItemState.ACCEPTED)] == ["The tide"]
    assert [each.entry.headline for each in site.listed(ItemState.KNOWN)] == ["Three lighthouses, one keeper"]


@with_site
async def test_a_failure_at_first_does_not_let_a_feeds_history_in_later(site: Site) -> None:
    site.server.serve(status=500)
    await site.poll(site.feed(first_poll=1))
    site.server.serve_feed(WORDPRESS)
    await site.later(25, site.feed(first_poll=1))
    assert len(site.listed(ItemState.ACCEPTED)) == 1


@with_site
async def test_a_feed_that_is_not_due_is_not_asked_unless_forced(site: Site) -> None:
    site.server.serve_feed(WORDPRESS)
    await site.poll()
    (report,) = await site.poll()
    assert report == PollReport(feed="courier", because="not due before 2026-03-05 13:00 UTC")
    assert len(site.server.asked) == 1
    (report,) = await site.poll(force=True)
    assert report.status == 304


@with_site
async def test_retry_after_is_obeyed_even_when_forced(site: Site) -> None:
    site.server.serve(status=429, headers={"Retry-After": "7200"})
    (report,) = await site.poll()
    assert (report.failed, report.status, report.because) == (
        True,
        429,
        "its server answered 429: it is asked too often",
    )
    (report,) = await site.poll(force=True)
    assert report.because == "its server asked not to be asked before 2026-03-05 14:00 UTC"
    assert len(site.server.asked) == 1
    site.server.serve_feed(WORDPRESS)
    assert (await site.later(2.1)).new == 2


@with_site
async def test_waits_grow_while_a_feed_fails_and_end_when_it_is_back(site: Site) -> None:
    site.server.serve(status=503)
    waits = []
    for _ in range(3):
        await site.poll(force=True)
        health = site.health()
        assert health.next_poll_at is not None
        waits.append(health.next_poll_at - site.clock.now())
    assert waits == [timedelta(hours=1), timedelta(hours=2), timedelta(hours=4)]
    assert (site.health().failures, site.health().because) == (3, "its server answered 503")
    site.server.serve_feed(WORDPRESS)
    await site.later()
    assert (site.health().failures, site.health().because) == (0, None)


@with_site
async def test_a_feed_that_is_gone_is_not_asked_again_until_its_address_is_changed(site: Site) -> None:
    site.server.serve(status=410)
    (report,) = await site.poll()
    assert (report.status, report.failed) == (410, True)
    assert site.health().state is FeedState.GONE
    for force in (False, True):
        (report,) = await site.poll(force=force)
        assert "gone for good" in (report.because or "")
    assert len(site.server.asked) == 1
    site.server.serve_feed(WORDPRESS, path="/new")
    (report,) = await site.poll(site.feed(path="/new"))
    assert report.new == 2


@pytest.mark.parametrize(
    ("body", "status", "because"),
    [
        (
            b"<!DOCTYPE html><title>Just a moment...</title>",
            200,
            "got an HTML page instead of a feed: “Just a moment...”",
        ),
        (b"", 200, "the body is empty"),
        (b"not a feed", 200, "got something that is no feed"),
        (b"x" * 11_000_000, 200, "larger than"),
        (b"", 404, "its server answered 404: is its url still right?"),
        (b"", 304, "asked for no comparison"),
    ],
)
def test_nothing_of_a_failure_is_kept_as_a_validator(body: bytes, status: int, because: str, tmp_path: Path) -> None:
    async def test(site: Site) -> None:
        good = Validators(etag='"good"')
        site.server.serve(body=WORDPRESS, headers={"ETag": '"good"'})
        await site.poll()
        health = site.health()
        if status == 304:
            site.feeds.record_unchanged(replace(health, validators=Validators()))
            good = Validators()
        site.server.serve(body=body, status=status, headers={"ETag": '"bad"'})
        report = await site.later()
        assert report.failed
        assert because in (report.because or "")
        assert site.health().validators == good
        assert site.health().body_hash == health.body_hash
        assert len(site.listed()) == 2

    with_site(test)(tmp_path)


@with_site
async def test_one_feeds_failure_never_stops_another(site: Site) -> None:
    site.server.serve_feed(WORDPRESS, path="/good")
    site.server.serve(path="/page", body=b"<html>")
    site.server.serve(path="/pattern", body=rss(item()))

    async def dies(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    site.server.pages["/dies"] = dies
    reports = await site.poll(
        site.feed("page", path="/page"),
        site.feed("dies", path="/dies"),
        replace(site.feed("nowhere"), url="http://nowhere.invalid/feed"),
        replace(site.feed("inside"), url="http://10.0.0.1/feed"),
        site.feed("pattern", path="/pattern", filter=Filter(exclude=("/(a+)+/",))),
        site.feed("good", path="/good"),
    )
    assert [report.feed for report in reports] == ["page", "dies", "nowhere", "inside", "pattern", "good"]
    assert [report.failed for report in reports] == [True] * 5 + [False]
    assert reports[-1].new == 2
    assert "filter" in (reports[4].because or "")
    assert all(site.health(report.feed).failures == 1 for report in reports[:5])


@with_site
async def test_two_runs_at_once_ask_a_feed_once(site: Site) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        asked.set()
        await answer.wait()
        return web.Response(body=WORDPRESS)

    site.server.pages["/feed"] = slow
    first = asyncio.create_task(site.poll())
    await asked.wait()
    (second,) = await site.poll()
    answer.set()
    assert second.because == "another run is polling it"
    assert (await first)[0].new == 2


@with_site
async def test_a_feed_whose_poll_died_is_asked_again_when_its_lease_is_over(site: Site) -> None:
    site.server.serve_feed(WORDPRESS)
    assert site.feeds.take([Take(feed_id="courier", url=site.server.url(), now=NOW, lease=LEASE)])[0]
    assert (await site.poll())[0].because == "another run is polling it"
    assert (await site.later(0.1)).new == 2


@with_site
async def test_a_poll_that_is_so_slow_that_another_asked_the_feed_meanwhile_keeps_nothing(site: Site) -> None:
    others: list[PollReport] = []

    async def slow(_: web.Request) -> web.StreamResponse:
        site.server.serve_feed(rss(item("The ferries are late")))
        site.clock.at += 2 * LEASE
        others.extend(await site.poll())
        return web.Response(body=WORDPRESS)

    site.server.pages["/feed"] = slow
    (late,) = await site.poll()
    assert [other.new for other in others] == [1]
    assert late.failed
    assert "another run has asked the feed meanwhile" in (late.because or "")
    assert [one.entry.headline for one in site.listed()] == ["The ferries are late"]
    assert (site.health().failures, site.health().because) == (0, None)


@with_site
async def test_a_poll_that_is_stopped_gives_its_feed_back_as_it_was(site: Site) -> None:
    site.server.serve_feed(WORDPRESS)
    await site.poll()
    before = site.health()
    asked = asyncio.Event()

    async def never(_: web.Request) -> web.StreamResponse:
        asked.set()
        await asyncio.Event().wait()
        return web.Response()

    site.server.pages["/feed"] = never
    running = asyncio.create_task(site.poll(force=True))
    await asked.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert site.health() == before
    site.server.serve_feed(WORDPRESS)
    assert (await site.poll(force=True))[0].status == 304


@with_site
async def test_a_poll_that_is_stopped_keeps_what_was_asked_and_leaves_the_rest_free(site: Site) -> None:
    asked, told = asyncio.Event(), asyncio.Event()

    async def never(_: web.Request) -> web.StreamResponse:
        asked.set()
        await asyncio.Event().wait()
        return web.Response()

    site.server.serve_feed(WORDPRESS)
    site.server.pages["/never"] = never
    feeds = [site.feed("one"), site.feed("two", path="/never"), *(site.feed(f"feed-{at}") for at in range(20))]
    # Each has a host of its own, so that leases are taken ahead.
    feeds = [replace(feed, url=feed.url.replace("127.0.0.1", f"127.0.0.{at + 1}")) for at, feed in enumerate(feeds)]
    async with a_fetcher(allow_private_hosts=("127.0.0.0/8",)) as fetcher:
        polling = poll(
            feeds,
            store=site.feeds,
            fetcher=fetcher,
            parser=site.parser,
            clock=site.clock,
            concurrency=1,
            tell=lambda _: told.set(),
        )
        running = asyncio.create_task(polling)
        await asked.wait()
        await told.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert site.health("one").last_status == 200
    site.server.serve_feed(WORDPRESS, path="/never")
    reports = await site.poll(*feeds[1:], force=True)
    assert [report.status for report in reports] == [200] * 21


@with_site
async def test_a_republication_in_another_feed_joins_the_story(site: Site) -> None:
    original = "".join(f"<p>{part}</p>" for part in ARTICLE.split("\n\n"))
    copy = f"<p>{NEW_LEAD}</p>" + "".join(f"<p>{part}</p>" for part in edited(ARTICLE).split("\n\n"))
    site.server.serve_feed(
        rss(item("Island hands its railway to the passengers", body=original, name="a-b-c-1")), path="/one"
    )
    site.server.serve_feed(rss(item("Who owns the harbour line?", body=copy, name="d-e-f-2")), path="/two")
    await site.poll(site.feed("original", path="/one"))
    await site.poll(site.feed("copy", path="/two"))
    one, other = sorted(site.listed(), key=lambda each: each.id)
    assert one.story_id == other.story_id
    assert (other.because or "").startswith("same text as item 1 of original: ")


@with_site
async def test_a_feed_that_cannot_be_parsed_inline_is_read_all_the_same(site: Site) -> None:
    site.server.serve(body=rss(item("Salt & vinegar")))
    assert (await site.poll())[0].new == 1


@with_site
async def test_progress_is_told_feed_by_feed(site: Site) -> None:
    site.server.serve_feed(WORDPRESS)
    told: list[str] = []
    async with a_fetcher() as fetcher:
        await poll(
            [site.feed("one"), site.feed("two")],
            store=site.feeds,
            fetcher=fetcher,
            parser=site.parser,
            clock=site.clock,
            concurrency=1,
            tell=lambda report: told.append(report.feed),
        )
    assert told == ["one", "two"]
