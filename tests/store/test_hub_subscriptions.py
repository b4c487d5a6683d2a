import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.collect.links import announced
from newsletter.errors import MoveError
from newsletter.model.feed import Announced, FeedHealth, Habits
from newsletter.model.hub import HubState, HubSubscription, Push
from newsletter.model.settings import Secret
from newsletter.store.engine import Store
from newsletter.store.feeds import Feeds
from newsletter.store.hubs import MOST_WAITING, Hubs

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
ONE = HubSubscription(
    token=Secret("one"),
    feed_id="institute",
    hub="https://hub.example/",
    topic="https://institute.example/feed",
    secret=Secret("secret of one"),
    state=HubState.ASKED,
    next_at=NOW,
)
PUSH = Push(token=ONE.token, content=b"\x00\xff<rss/>", content_type="text/xml", received_at=NOW)


@pytest.fixture
def hubs(store: Store) -> Hubs:
    return Hubs(store)


def test_what_is_agreed_is_found_by_its_token(hubs: Hubs) -> None:
    assert hubs.at(ONE.token) is None
    assert hubs.add(ONE)
    full = replace(ONE, token=Secret("other"), feed_id="another", leased_until=NOW, tries=3, because="what is wrong")
    assert hubs.add(full)
    assert (hubs.at(ONE.token), hubs.at(full.token)) == (ONE, full)
    assert hubs.listed() == (full, ONE)
    assert hubs.at(Secret("\0")) is None


def test_the_longest_names_that_a_feed_may_give_are_kept(hubs: Hubs) -> None:
    noise = random.Random(7).randbytes(488).hex()  # what a database could pack would say nothing
    long = replace(ONE, feed_id="f" * 100, hub=f"https://hub.example/{noise}", topic=f"https://a.example/{noise}")
    assert announced("", (("hub", long.hub), ("self", long.topic)), url=ONE.topic)
    assert hubs.add(long)
    assert hubs.at(long.token) == long


def test_a_feed_has_one_agreement_with_a_hub(hubs: Hubs) -> None:
    assert hubs.add(ONE)
    assert not hubs.add(replace(ONE, token=Secret("other")))
    assert hubs.add(replace(ONE, token=Secret("other"), hub="https://other.example/"))


def test_only_what_nobody_has_changed_meanwhile_is_changed(hubs: Hubs) -> None:
    hubs.add(ONE)
    active = replace(ONE, state=HubState.ACTIVE, leased_until=NOW + timedelta(days=1))
    assert hubs.exchange(ONE, active)
    assert not hubs.exchange(ONE, replace(ONE, tries=7)), "it was confirmed in between"
    assert not hubs.blame(ONE, "no answer")
    assert not hubs.forget(ONE)
    assert hubs.at(ONE.token) == active
    assert hubs.blame(active, "no answer")
    assert hubs.forget(active)
    assert hubs.listed() == ()


def test_a_move_that_is_none_is_refused(hubs: Hubs) -> None:
    hubs.add(ONE)
    with pytest.raises(MoveError):
        hubs.exchange(replace(ONE, state=HubState.LEAVING), ONE)


def test_pushes_come_out_whole_in_their_order_and_once(hubs: Hubs) -> None:
    hubs.add(ONE)
    assert hubs.waiting() is None
    assert hubs.keep(PUSH)
    assert hubs.keep(replace(PUSH, content=b"second"))
    first = hubs.waiting()
    assert first is not None
    assert replace(first, id=0) == PUSH
    second = hubs.waiting(after=first.id)
    assert second is not None
    assert second.content == b"second"
    assert hubs.waiting(after=second.id) is None
    hubs.taken(first, pushed_at=NOW)
    assert hubs.waiting() == second
    assert hubs.at(ONE.token) == replace(ONE, pushed_at=NOW)


def test_an_exchange_does_not_forget_what_was_pushed_meanwhile(hubs: Hubs) -> None:
    hubs.add(ONE)
    hubs.keep(PUSH)
    push = hubs.waiting()
    assert push is not None
    hubs.taken(push, pushed_at=NOW)
    hubs.exchange(ONE, replace(ONE, state=HubState.ACTIVE))
    assert hubs.at(ONE.token) == replace(ONE, state=HubState.ACTIVE, pushed_at=NOW)


def test_too_much_that_waits_is_sent_again_later(hubs: Hubs) -> None:
    hubs.add(ONE)
    other = replace(ONE, token=Secret("other"), feed_id="another")
    hubs.add(other)
    assert all(hubs.keep(PUSH) for _ in range(MOST_WAITING))
    assert not hubs.keep(PUSH)
    assert hubs.keep(replace(PUSH, token=other.token)), "another hub's business"


def test_what_waits_goes_with_its_agreement(hubs: Hubs) -> None:
    hubs.add(ONE)
    hubs.keep(PUSH)
    assert hubs.forget(ONE)
    assert hubs.waiting() is None


def test_feeds_that_announce_a_hub_are_told_apart(store: Store, hubs: Hubs) -> None:
    feeds = Feeds(store)
    hub = Announced(hub="https://hub.example/", topic="https://institute.example/feed")
    announcing = FeedHealth(feed_id="institute", url=hub.topic, habits=Habits(hub=hub, unpushed_at=NOW))
    feeds.record_unchanged(announcing)
    feeds.record_unchanged(FeedHealth(feed_id="other", url="https://other.example/", habits=Habits(window=3)))
    assert hubs.announcing() == (announcing,)
