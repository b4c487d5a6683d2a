"""What publishers see of us: each rule against a scripted server, through whole polls."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web

from newsletter.collect.poll import LEASE, PAUSE
from newsletter.model.feed import FeedState, Validators
from newsletter.model.item import PollReport
from newsletter.store.ports import Take
from tests.collect import polling
from tests.collect.makers import NOW, item, rss
from tests.collect.polling import Site, with_site

HOUR = timedelta(hours=1)
ONE = rss(item("The first", name="one"))
TWO = rss(item("The second", name="two"), item("The first", name="one"))
SYNDICATION = 'xmlns:s="http://purl.org/rss/1.0/modules/syndication/"'
CONDITIONS = ("If-None-Match", "If-Modified-Since")


@with_site
async def test_a_first_poll_is_one_request_that_tells_nothing_of_us_but_who_asks(site: Site) -> None:
    elsewhere = "".join(
        f'<{name} href="{site.server.url(f"/{name}")}" url="{site.server.url(f"/{name}")}"/>'
        for name in ("image", "icon", "enclosure", "cloud")
    )
    picture = f"&lt;img src='{site.server.url('/picture.jpg')}'&gt;"
    site.server.serve(body=rss(item(body=picture, more=elsewhere), channel=elsewhere), headers={"Set-Cookie": "a=b"})
    await site.poll()
    assert site.server.paths == ["/feed"]
    asked = site.server.asked[0].headers
    assert set(asked) == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"} & set(asked)


@with_site
async def test_every_request_has_the_same_user_agent_with_a_way_to_reach_us(site: Site) -> None:
    site.server.serve_feed(ONE)
    for _ in range(3):
        await site.later()
    (agent,) = {request.headers["User-Agent"] for request in site.server.asked}
    assert agent.startswith("newsletter/")
    assert "(+https://example.org/feeds)" in agent


@pytest.mark.parametrize("etag", ['"plain"', 'W/"weak"', "without quotes", '"ü"', '"-gzip"', ""])
@pytest.mark.parametrize("date", ["Wed, 04 Mar 2026 10:00:00 GMT", "Wed, 4 Mar 2026 10:00:00 +0100", "yesterday", ""])
def test_both_validators_are_echoed_as_they_came_and_none_is_made_up(etag: str, date: str, tmp_path: Path) -> None:
    async def test(site: Site) -> None:
        given = {name: value for name, value in (("ETag", etag), ("Last-Modified", date)) if value}
        site.server.serve(body=ONE, headers=given)
        await site.poll()
        await site.later()
        asked = site.server.asked[1].headers
        assert [asked.get(name, "") for name in CONDITIONS] == [etag, date]

    with_site(test)(tmp_path)


@with_site
async def test_validators_of_a_304_replace_the_old_ones_and_those_it_does_not_repeat_stay(site: Site) -> None:
    site.server.serve(body=ONE, headers={"ETag": '"1"', "Last-Modified": "Monday"})
    await site.poll()
    site.server.serve(status=304, headers={"ETag": '"2"'})
    await site.later()
    assert site.health().validators == Validators(etag='"2"', last_modified="Monday")


@with_site
async def test_what_one_host_gave_is_not_told_to_another(site: Site) -> None:
    there = site.server.url("/there", host="127.0.0.2")
    site.server.serve(body=ONE, headers={"ETag": '"here"'})
    site.server.serve("/there", TWO, headers={"ETag": '"there"', "Last-Modified": "Monday"})
    await site.poll()
    site.server.serve(status=302, headers={"Location": there})
    await site.later()
    assert (site.server.paths[-1], site.server.asked[-1].headers.get("If-None-Match")) == ("/there", None)
    assert (await site.later()).new == 0
    first, second = (request.headers for request in site.server.asked[-2:])
    assert [name in first for name in CONDITIONS] == [False, False]
    assert [second[name] for name in CONDITIONS] == ['"there"', "Monday"]
    site.server.serve(body=TWO)
    await site.later()
    assert not set(CONDITIONS) & set(site.server.asked[-1].headers)


@pytest.mark.parametrize(
    ("headers", "channel", "hours"),
    [
        ({}, "", 1),
        ({"Cache-Control": "public, max-age=1800"}, "", 1),
        ({"Cache-Control": "public, max-age=10800, s-maxage=5"}, "", 3),
        ({"Cache-Control": "max-age=10800", "Age": "3600"}, "", 2),
        ({"Cache-Control": "max-age=99999999"}, "", 24),
        ({"Cache-Control": "no-cache, max-age=10800"}, "", 1),
        ({"Cache-Control": "max-age=0", "Expires": "Thu, 05 Mar 2026 23:00:00 GMT"}, "", 1),
        ({"Date": "Thu, 05 Mar 2030 10:00:00 GMT", "Expires": "Thu, 05 Mar 2030 15:00:00 GMT"}, "", 5),
        ({"Date": "Thu, 05 Mar 2026 10:00:00 GMT", "Expires": "0"}, "", 1),
        ({}, "<ttl>120</ttl>", 2),
        ({}, "<ttl>-5</ttl>", 1),
        ({}, "<ttl>9999999</ttl>", 24),
        (
            {},
            f"<s:updatePeriod {SYNDICATION}> daily </s:updatePeriod><s:updateFrequency {SYNDICATION}>4</s:updateFrequency>",
            6,
        ),
    ],
)
def test_a_feed_is_left_alone_as_long_as_it_says_up_to_a_day(
    headers: dict[str, str], channel: str, hours: int, tmp_path: Path
) -> None:
    async def test(site: Site) -> None:
        site.server.serve(body=rss(item(), channel=channel), headers=headers)
        await site.poll()
        assert site.health().next_poll_at == NOW + hours * HOUR

    with_site(test)(tmp_path)


@with_site
async def test_what_a_document_said_of_its_rhythm_is_remembered_while_it_does_not_change(site: Site) -> None:
    spared = "<skipHours><hour>14</hour><hour>15</hour></skipHours><skipDays><day>Friday</day></skipDays>"
    site.server.serve_feed(rss(item(), channel=f"<ttl>90</ttl>{spared}"))
    await site.poll()
    assert site.health().next_poll_at == NOW.replace(hour=13, minute=30)
    site.clock.at = NOW.replace(hour=13, minute=30)
    assert (await site.poll())[0].status == 304
    assert site.health().next_poll_at == NOW.replace(hour=16, minute=0)
    site.clock.at = NOW.replace(day=6, hour=3)
    (report,) = await site.poll()
    assert report.because == ("it asked to be spared at this time (skipHours, skipDays), until 2026-03-07 00:00 UTC")
    assert len(site.server.asked) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "7200"},
        {"Retry-After": "Wed, 01 Jan 2020 02:00:00 GMT", "Date": "Wed, 01 Jan 2020 00:00:00 GMT"},
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_in_both_forms_by_the_servers_own_clock(
    status: int, headers: dict[str, str], tmp_path: Path
) -> None:
    async def test(site: Site) -> None:
        site.server.serve(status=status, headers=headers)
        await site.poll()
        assert site.health().not_before_at == NOW + 2 * HOUR
        assert (await site.poll(force=True))[0].status is None
        assert len(site.server.asked) == 1

    with_site(test)(tmp_path)


@with_site
async def test_a_host_that_says_it_is_asked_too_often_is_asked_for_no_other_feed_either(site: Site) -> None:
    site.server.serve("/one", status=429, headers={"Retry-After": "1200"})
    site.server.serve("/two", ONE)
    feeds = (site.feed("one", path="/one"), site.feed("two", path="/two"))
    reports = await site.poll(*feeds)
    assert site.server.paths == ["/one"]
    assert "said of another feed that it is asked too often: not before 2026-03-05 12:20 UTC" in (
        reports[1].because or ""
    )
    # The next run knows it too, also if it is told to ask for that feed alone.
    assert (await site.poll(feeds[1], force=True))[0].status is None
    site.clock.at += timedelta(minutes=20)
    assert (await site.poll(feeds[1]))[0].new == 1


@with_site
async def test_a_long_retry_after_of_one_feed_spares_its_host_for_an_hour(site: Site) -> None:
    site.server.serve("/one", status=429, headers={"Retry-After": "600000"})
    site.server.serve("/two", ONE)
    await site.poll(site.feed("one", path="/one"))
    assert (await site.later(1, site.feed("two", path="/two"))).new == 1


@with_site
async def test_a_host_that_is_too_busy_gets_its_other_requests_with_pauses(site: Site) -> None:
    times: list[float] = []

    async def busy(_: web.Request) -> web.StreamResponse:
        times.append(time.monotonic())
        return web.Response(status=503)

    for name in "abc":
        site.server.pages[f"/{name}"] = busy
    reports = await site.poll(*(site.feed(name, path=f"/{name}") for name in "abc"))
    assert [report.status for report in reports] == [503] * 3
    assert min(later - sooner for sooner, later in pairwise(times)) >= 0.29
    assert polling.PAUSE < PAUSE


@with_site
async def test_a_feed_that_was_too_busy_is_asked_more_seldom_when_it_is_well_again(site: Site) -> None:
    site.server.serve(status=503)
    await site.poll()
    site.server.serve_feed(ONE)
    await site.later(1)
    assert site.health().next_poll_at == site.clock.at + 2 * HOUR


@with_site
async def test_a_server_that_fails_is_asked_later_and_later_but_always_again(site: Site) -> None:
    site.server.serve(status=500)
    waits = []
    for _ in range(9):
        await site.poll(force=True)
        due = site.health().next_poll_at
        assert due is not None
        waits.append((due - site.clock.at) / HOUR)
        site.clock.at = due
    assert waits == [1, 2, 4, 8, 16, 24, 24, 24, 24]
    assert len(site.server.asked) == 9


@with_site
async def test_feeds_of_one_host_are_asked_one_after_the_other_and_hosts_side_by_side(site: Site) -> None:
    now: dict[str, int] = {}
    most_of_a_host = met = 0
    hosts = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
    side_by_side = asyncio.Barrier(len(hosts))

    async def slow(request: web.Request) -> web.StreamResponse:
        nonlocal most_of_a_host, met
        now[request.host] = now.get(request.host, 0) + 1
        most_of_a_host = max(most_of_a_host, now[request.host])
        async with asyncio.timeout(20):
            await side_by_side.wait()
        met += 1
        now[request.host] -= 1
        return web.Response(body=ONE)

    site.server.pages["/feed"] = slow
    feeds = [
        replace(site.feed(f"{name}-{at}"), url=site.server.url(host=host))
        for at, host in enumerate(hosts)
        for name in "abc"
    ]
    await site.poll(*feeds)
    assert (len(site.server.asked), most_of_a_host) == (9, 1)
    assert met == 9, "hosts wait for one another"


@with_site
async def test_a_lease_that_a_wrong_clock_wrote_does_not_silence_a_feed(site: Site) -> None:
    site.server.serve_feed(ONE)
    years = timedelta(days=3650)
    assert site.feeds.take([Take(feed_id="courier", url=site.server.url(), now=NOW + years, lease=LEASE)])[0]
    assert (await site.poll())[0].new == 1


@with_site
async def test_a_restart_a_manual_run_and_a_clock_set_back_ask_a_feed_no_sooner(site: Site) -> None:
    site.server.serve_feed(ONE)
    await site.poll()
    for minutes in (0, 1, -3 * 60, 59 + 3 * 60 - 1):
        site.clock.at += timedelta(minutes=minutes)
        assert "not due before" in ((await site.poll())[0].because or "")
    assert len(site.server.asked) == 1


def _moved(site: Site, status: int = 301, body: bytes = TWO) -> None:
    site.server.serve(status=status, headers={"Location": "/new"})
    site.server.serve("/new", body)


@with_site
async def test_a_feed_that_moved_is_asked_at_its_new_address_when_that_was_said_for_days(site: Site) -> None:
    site.server.serve(body=ONE)
    await site.poll()
    for at in range(3):
        _moved(site, 301, rss(item("The first", name="one"), item(f"Another {at}", name=f"another-{at}")))
        await site.later(36)
    assert site.server.paths == ["/feed", *["/feed", "/new"] * 3]
    site.server.serve("/new", TWO)
    assert (await site.later()).new == 1
    assert site.server.paths[7:] == ["/new"]
    # The address in the settings stays what the operator wrote; one who writes the new one there loses nothing.
    assert site.health().url == site.server.url()
    assert (await site.later(25, site.feed(path="/new"))).status == 304
    assert site.health().url == site.server.url("/new")


@with_site
async def test_a_redirect_seen_often_in_a_day_or_broken_off_is_not_believed(site: Site) -> None:
    site.server.serve(body=ONE)
    await site.poll()
    for at in range(6):
        _moved(site, 308, rss(item("The first", name="one"), item(f"Another {at}", name=f"another-{at}")))
        await site.later(8)
    assert site.server.paths[-2:] == ["/feed", "/new"]
    site.server.serve(body=ONE)
    await site.later(48)
    move = site.health().habits.move
    assert move is None


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_temporary_redirect_is_followed_and_never_believed(status: int, tmp_path: Path) -> None:
    async def test(site: Site) -> None:
        site.server.serve(body=ONE)
        await site.poll()
        for at in range(5):
            _moved(site, status, rss(item("The first", name="one"), item(f"Another {at}", name=f"another-{at}")))
            await site.later(48)
        assert site.server.paths[-2:] == ["/feed", "/new"]
        assert site.health().address == site.server.url()

    with_site(test)(tmp_path)


@with_site
async def test_a_permanent_redirect_to_something_else_is_not_believed(site: Site) -> None:
    site.server.serve(body=ONE)
    await site.poll()
    for at in range(5):
        _moved(site, 301, rss(item(f"Parked domain {at}", name=f"parked-{at}", body=f"Offer {at}")))
        await site.later(48)
    assert site.health().address == site.server.url()


@with_site
async def test_a_move_that_fails_is_undone_and_a_410_there_is_not_the_feeds_end(site: Site) -> None:
    site.server.serve(body=ONE)
    await site.poll()
    for at in range(3):
        _moved(site, 301, rss(item("The first", name="one"), item(f"Another {at}", name=f"another-{at}")))
        await site.later(48)
    assert site.health().address == site.server.url("/new")
    site.server.serve(body=TWO)
    site.server.serve("/new", status=410)
    for _ in range(3):
        assert (await site.later(25)).status == 410
    assert site.health().state is FeedState.ACTIVE
    assert (await site.later(25)).status == 200
    assert site.server.paths[-1] == "/feed"


@with_site
async def test_a_gap_between_two_windows_is_told(site: Site) -> None:
    site.server.serve(body=rss(*(item(f"Early {at}", name=f"early-{at}", body=f"Of {at}.") for at in range(3))))
    await site.poll()
    site.server.serve(body=rss(*(item(f"Late {at}", name=f"late-{at}", body=f"On {at}.") for at in range(3))))
    report = await site.later()
    assert "nothing that it had shown before was in it any more" in (report.because or "")
    assert not report.failed
    assert site.health().habits.gap_at == site.clock.at
    site.server.serve(body=rss(*(item(f"Late {at}", name=f"late-{at}", body=f"On {at}.") for at in range(4))))
    assert await site.later() == PollReport(feed="courier", status=200, new=1, known=3)
    assert site.health().because is None


@with_site
async def test_a_rhythm_is_learned_from_the_dates_of_a_first_document(site: Site) -> None:
    daily = (
        item(
            f"Number {at}",
            name=f"n-{at}",
            more=f"<pubDate>{NOW - timedelta(days=at):%a, %d %b %Y %H:%M:%S} GMT</pubDate>",
        )
        for at in range(8)
    )
    site.server.serve_feed(rss(*daily))
    await site.poll()
    assert (site.health().habits.pace, site.health().habits.window) == (timedelta(days=1), 8)
    assert site.health().next_poll_at == NOW + 4 * HOUR
