"""Hubs asked to push, and what they push: over whole polls, a scripted hub on loopback and the real store."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from aiohttp import web

from newsletter.collect.hubs import confirmed
from newsletter.collect.poll import LEASE
from newsletter.collect.pushed import take_pushed
from newsletter.collect.websub import due_steps, tend_hubs
from newsletter.model.feed import Feed, FeedState
from newsletter.model.hub import HubState, HubSubscription, Push
from newsletter.model.item import ItemState, PollReport
from newsletter.store.hubs import Hubs
from newsletter.store.ports import Take
from tests.collect.makers import item, rss
from tests.collect.polling import Site, with_site
from tests.collect.server import a_fetcher

ATOM = '<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="{}" href="{}"/>'
NAMES = ("one", "two", "three", "four")


def a_document(site: Site, *names: str, hub: str = "/hub", topic: str = "/feed") -> bytes:
    """A document that announces a hub."""
    head = ATOM.format("hub", site.server.url(hub)) + ATOM.format("self", site.server.url(topic))
    items = (item(f"A headline about {name}", name=name, body=f"All about {name}.") for name in names)
    return rss(*items, channel=head)


@dataclass
class Hub:
    """A hub that keeps what it was asked, and what the store held at that moment."""

    hubs: Hubs
    status: int = 202
    location: str = ""
    asked: list[Mapping[str, str]] = field(default_factory=list)
    found: list[HubState] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append({name: str(value) for name, value in (await request.post()).items()})
        self.found += [one.state for one in self.hubs.listed()]
        return web.Response(status=self.status, headers={"Location": self.location} if self.location else {})


def a_hub(site: Site, path: str = "/hub", **settings: object) -> Hub:
    hub = Hub(hubs=site.hubs, **settings)  # type: ignore[arg-type]
    site.server.pages[path] = hub.answer
    return hub


async def tend(site: Site, *feeds: Feed) -> int:
    due = await due_steps(feeds, hubs=site.hubs, clock=site.clock, luck=lambda: 0.0)
    async with a_fetcher() as fetcher:
        return await tend_hubs(
            due, hubs=site.hubs, fetcher=fetcher, callback=lambda token: f"https://brief.example/{token.reveal()}"
        )


async def push(site: Site, content: bytes, *feeds: Feed) -> tuple[PollReport, ...]:
    (one,) = site.hubs.listed()
    assert site.hubs.keep(Push(token=one.token, content=content, content_type="", received_at=site.clock.now()))
    return await taken(site, *feeds)


async def taken(site: Site, *feeds: Feed) -> tuple[PollReport, ...]:
    return await take_pushed(
        feeds or (site.feed(),), hubs=site.hubs, store=site.feeds, parser=site.parser, clock=site.clock
    )


def confirm(site: Site, *, lease: timedelta = timedelta(days=10)) -> HubSubscription:
    """What the hub's question back makes of it."""
    (one,) = site.hubs.listed()
    query = {
        "hub.mode": "subscribe",
        "hub.topic": one.topic,
        "hub.challenge": "c",
        "hub.lease_seconds": str(int(lease.total_seconds())),
    }
    found = confirmed(one, query, now=site.clock.now(), jitter=0)
    assert found is not None
    assert found.after is not None
    assert site.hubs.exchange(one, found.after)
    return found.after


async def subscribed(site: Site, *names: str) -> Hub:
    """A feed that was asked once, and is subscribed at its hub."""
    site.server.serve_feed(a_document(site, *(names or NAMES[:2])))
    hub = a_hub(site)
    await site.poll()
    assert await tend(site, site.feed()) == 1
    confirm(site)
    return hub


@with_site
async def test_the_hub_that_a_feed_announces_is_asked_once_its_question_back_can_be_answered(site: Site) -> None:
    site.server.serve_feed(a_document(site, "one"))
    hub = a_hub(site)
    assert await tend(site, site.feed()) == 0, "nothing is known of the feed"
    await site.poll()
    assert await tend(site, site.feed()) == 1

    (one,) = site.hubs.listed()
    (asked,) = hub.asked
    assert (asked["hub.mode"], asked["hub.topic"]) == ("subscribe", site.server.url())
    assert asked["hub.callback"] == f"https://brief.example/{one.token.reveal()}"
    assert asked["hub.secret"] == one.secret.reveal()
    assert len(one.token.reveal()) > 40
    assert hub.found == [HubState.ASKED], "it was kept before the hub was asked"
    assert await tend(site, site.feed()) == 0, "it is asked once"


@with_site
async def test_a_hub_announced_in_headers_is_asked_too(site: Site) -> None:
    links = f'<{site.server.url("/hub")}>; rel="hub", <{site.server.url("/other")}>; rel="self"'
    site.server.serve(body=rss(item()), headers={"Link": links})
    hub = a_hub(site)
    await site.poll()
    await tend(site, site.feed())
    assert hub.asked[0]["hub.topic"] == site.server.url("/other")


@with_site
async def test_a_hub_that_sends_us_on_is_followed_with_the_same_form(site: Site) -> None:
    site.server.serve_feed(a_document(site, "one"))
    here, there = a_hub(site, status=307, location="/moved"), a_hub(site, "/moved")
    await site.poll()
    await tend(site, site.feed())
    assert here.asked == there.asked
    assert site.hubs.listed()[0].because is None


@with_site
async def test_a_hub_that_fails_is_told_and_asked_again_later(site: Site) -> None:
    site.server.serve_feed(a_document(site, "one"))
    hub = a_hub(site, status=500)
    await site.poll()
    await tend(site, site.feed())
    assert site.hubs.listed()[0].because == "its hub answered 500"
    assert await tend(site, site.feed()) == 0
    site.clock.at += timedelta(minutes=6)
    hub.status = 202
    assert await tend(site, site.feed()) == 1
    assert hub.asked[0] == hub.asked[1], "with the same address and secret"


@with_site
async def test_a_hub_inside_the_local_network_is_not_asked(site: Site) -> None:
    head = ATOM.format("hub", site.server.url("/hub", host="127.0.0.2"))
    site.server.serve_feed(rss(item(), channel=head))
    hub = a_hub(site)
    await site.poll()
    await tend(site, site.feed())
    assert hub.asked == []
    assert "127.0.0.2 is not a public address" in (site.hubs.listed()[0].because or "")


@with_site
async def test_a_feed_that_is_removed_or_announces_another_hub_is_unsubscribed(site: Site) -> None:
    hub = await subscribed(site)
    other = a_hub(site, "/other")
    site.server.serve_feed(a_document(site, "one", hub="/other"), etag='"2"')
    await site.later(25)
    await tend(site, site.feed())
    assert [asked["hub.mode"] for asked in hub.asked] == ["subscribe", "unsubscribe"]
    assert hub.asked[0]["hub.callback"] == hub.asked[1]["hub.callback"]
    assert [asked["hub.mode"] for asked in other.asked] == ["subscribe"]
    await tend(site)
    assert [asked["hub.mode"] for asked in other.asked] == ["subscribe", "unsubscribe"]


@with_site
async def test_what_a_hub_pushes_is_accepted_and_what_the_next_poll_asks_with_stays(site: Site) -> None:
    await subscribed(site)
    before = site.health()
    site.clock.at += timedelta(minutes=5)

    (report,) = await push(site, a_document(site, "three"))

    assert (report.new, report.known, report.failed) == (1, 0, False)
    assert "A headline about three" in {one.entry.headline for one in site.listed(ItemState.ACCEPTED)}
    after = site.health()
    assert replace(after, habits=before.habits) == before, "nothing of a push is taken for an answer of the feed"
    assert after.habits.window == before.habits.window
    assert site.hubs.waiting() is None
    assert site.hubs.listed()[0].pushed_at == site.clock.now()


@with_site
async def test_a_piece_that_was_pushed_is_not_new_when_the_feed_is_asked(site: Site) -> None:
    await subscribed(site)
    await push(site, a_document(site, "three"))
    site.server.serve_feed(a_document(site, "three", "one", "two"), etag='"2"')
    report = await site.later(25)
    assert (report.status, report.new, report.known) == (200, 0, 3)


@with_site
async def test_nothing_is_concluded_from_what_a_push_leaves_out(site: Site) -> None:
    await subscribed(site, *NAMES)
    for _ in range(3):
        await push(site, a_document(site, "one", "four"))
        assert (await site.later(25)).retracted == 0
    await push(site, a_document(site, "five"))
    assert site.listed(ItemState.RETRACTED) == ()
    assert site.health().habits.gap_at is None
    assert site.health().because is None


@with_site
async def test_a_flood_that_is_pushed_is_held_like_any_other(site: Site) -> None:
    await subscribed(site)
    (report,) = await push(site, a_document(site, *(f"flood {at}" for at in range(40))))
    assert (report.new, report.held) == (10, 30)
    assert site.health().state is FeedState.HELD


@with_site
async def test_a_feed_whose_hub_pushes_is_asked_once_a_day(site: Site) -> None:
    await subscribed(site)
    assert (await site.later(1.2)).status == 304, "it has pushed nothing yet"
    await push(site, a_document(site, "three"))
    report = await site.later(20)
    assert (report.status, "its hub tells what is new" in (report.because or "")) == (None, True)
    assert (await site.later(4)).status == 304
    assert (await site.later(20)).status is None, "and so on"


@with_site
async def test_a_feed_is_asked_in_its_own_rhythm_again_when_its_hub_missed_something(site: Site) -> None:
    await subscribed(site)
    await push(site, a_document(site, "three"))
    site.server.serve_feed(a_document(site, "four", "three", "one", "two"), etag='"2"')
    assert (await site.later(25)).new == 1
    assert (await site.later(5)).status == 304
    await push(site, a_document(site, "five"))
    assert (await site.later(5)).status is None, "it pushes again"


@with_site
async def test_a_feed_is_asked_in_its_own_rhythm_again_when_its_hubs_lease_is_over(site: Site) -> None:
    await subscribed(site)
    site.clock.at += timedelta(days=9)
    await site.poll()
    await push(site, a_document(site, "three"))
    assert (await site.later(5)).status is None
    site.clock.at += timedelta(days=1)
    await site.poll()
    assert (await site.later(5)).status == 304


@with_site
async def test_a_push_that_cannot_be_read_is_told_and_the_feed_asked_itself(site: Site) -> None:
    await subscribed(site)
    await push(site, a_document(site, "three"))
    (report,) = await push(site, b"<html>no feed</html>")
    assert report.failed
    assert "what its hub pushed could not be read" in (site.hubs.listed()[0].because or "")
    assert site.hubs.waiting() is None, "it is not tried for ever"
    assert (await site.later(5)).status == 304


@with_site
async def test_a_push_that_breaks_off_is_taken_as_far_as_it_goes_and_told_and_the_feed_asked_itself(site: Site) -> None:
    await subscribed(site)
    whole = a_document(site, "three", "four")
    (report,) = await push(site, whole[: whole.index(b"about four")])
    cut = "what its hub pushed breaks off after 1 item"
    assert (report.new, report.failed, report.because) == (1, False, cut)
    assert site.hubs.listed()[0].because == cut
    site.server.serve_feed(whole, etag='"2"')
    assert (await site.later(5)).new == 1
    assert (await push(site, a_document(site, "five")))[0].because is None
    assert site.hubs.listed()[0].because is None


@with_site
async def test_what_a_feeds_own_answer_lacked_is_not_told_of_a_push(site: Site) -> None:
    await subscribed(site)
    whole = a_document(site, "two", "one")
    site.server.serve_feed(whole[: whole.index(b"about one")], etag='"2"')
    assert "breaks off" in ((await site.later(25)).because or "")
    (report,) = await push(site, a_document(site, "three"))
    assert (report.new, report.because) == (1, None)
    assert "breaks off" in (site.health().because or "")


@with_site
async def test_a_push_for_a_feed_that_is_being_asked_waits(site: Site) -> None:
    await subscribed(site)
    asked = site.feeds.take([Take(feed_id="courier", url=site.server.url(), now=site.clock.now(), lease=LEASE)])[0]
    assert asked is not None
    assert await push(site, a_document(site, "three")) == ()
    assert site.hubs.waiting() is not None
    site.feeds.record_unchanged(asked)
    (report,) = await taken(site)
    assert report.new == 1


@with_site
async def test_a_push_that_was_read_before_we_died_brings_nothing_twice(site: Site) -> None:
    await subscribed(site)
    content = a_document(site, "three")
    await push(site, content)
    (again,) = await push(site, content)
    assert (again.new, again.known) == (0, 1)


@with_site
async def test_a_push_for_a_feed_that_nobody_wants_any_more_is_dropped(site: Site) -> None:
    await subscribed(site)
    assert await push(site, a_document(site, "three"), site.feed(enabled=False)) == ()
    assert site.hubs.waiting() is None
    (report,) = await push(site, a_document(site, "three"), site.feed(path="/elsewhere"))
    assert report.failed
    assert len(site.listed()) == 2
