"""Choosing: rights, stories with several sources, sections, limits and fairness; and a reason for everything."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.compose.choose import choose, fair_share, originals, republished, waiting, wanted_feeds
from newsletter.model.edition import Choice
from newsletter.model.feed import Feed, Reuse
from newsletter.model.item import Entry, Item, ItemState
from newsletter.model.publication import Digest, Section
from tests.compose.makers import NOW, digest, feed, item


def by_id(*feeds: Feed) -> dict[str, Feed]:
    return {one.id: one for one in feeds}


TIDE = by_id(feed("tidewatch"))


def taken(choices: Iterable[Choice]) -> list[int]:
    return [choice.item.id for choice in choices if choice.section is not None]


def because(choices: Iterable[Choice], number: int) -> str:
    return next(choice.because for choice in choices if choice.item.id == number)


def choose_now(items: Iterable[Item], made: Digest, feeds: dict[str, Feed]) -> tuple[Choice, ...]:
    return choose(items, made, feeds=feeds, at=NOW)


def test_the_newest_come_first_and_each_has_a_reason() -> None:
    choices = choose_now([item(1, hours_old=9), item(2, hours_old=1)], digest(), TIDE)
    assert taken(choices) == [2, 1]
    assert all(choice.because for choice in choices)


def test_an_item_under_embargo_waits_and_says_until_when() -> None:
    feeds = by_id(feed(embargo=timedelta(hours=3)))
    choices = choose_now([item(1, hours_old=2)], digest(), feeds)
    assert taken(choices) == []
    assert "2026-11-23 08:00 UTC" in because(choices, 1)
    assert waiting(choices, feeds, at=NOW) == 1


def test_an_embargo_that_is_over_holds_nothing_back() -> None:
    assert taken(choose_now([item(1, hours_old=3)], digest(), by_id(feed(embargo=timedelta(hours=3))))) == [1]


def test_an_expired_item_is_not_shown() -> None:
    choices = choose_now([item(1, hours_old=24)], digest(), by_id(feed(expires=timedelta(hours=24))))
    assert taken(choices) == []
    assert "expires" in because(choices, 1)


def test_an_item_that_may_not_be_reused_is_never_chosen() -> None:
    choices = choose_now([item(1)], digest(), by_id(feed(reuse=Reuse.NONE)))
    assert because(choices, 1) == "Tidewatch allows no reuse"
    assert waiting(choices, by_id(feed(reuse=Reuse.NONE)), at=NOW) == 0


def test_an_item_without_link_or_headline_is_left_out() -> None:
    bare = item(2)
    headless = Item(
        id=3,
        feed_id="tidewatch",
        story_id=3,
        state=bare.state,
        entry=Entry(guid=None, url=bare.entry.url, headline=""),
        first_seen_at=NOW,
    )
    choices = choose_now([item(1, url=""), bare, headless], digest(), TIDE)
    assert taken(choices) == [2]
    assert "no link" in because(choices, 1)
    assert "no headline" in because(choices, 3)


def test_a_filter_changed_after_the_item_came_still_counts() -> None:
    def refusal(entry: Entry, feed: Feed) -> str | None:
        return f"excluded by the filter of {feed.id}" if "2" in entry.headline else None

    choices = choose([item(1), item(2)], digest(), feeds=TIDE, at=NOW, refusal=refusal)
    assert taken(choices) == [1]
    assert because(choices, 2) == "excluded by the filter of tidewatch"


def test_a_story_is_shown_once_from_its_original_publisher() -> None:
    feeds = by_id(feed("statesman", original=False), feed("tidewatch"))
    republished = item(1, feed_id="statesman", story=7, hours_old=1)
    choices = choose_now([republished, item(2, story=7, hours_old=30)], digest(), feeds)
    assert taken(choices) == [2]
    assert because(choices, 1) == "the same story as item 2, which is preferred: Tidewatch is the original publisher"


def test_the_original_publisher_is_preferred_also_where_its_date_is_later() -> None:
    feeds = by_id(feed("statesman", original=False), feed("tidewatch"))
    choices = choose_now(
        [item(1, feed_id="statesman", story=7, hours_old=5), item(2, story=7, hours_old=4)], digest(), feeds
    )
    assert taken(choices) == [2]


def test_originals_that_were_no_news_stand_for_stories_that_only_republishers_bring() -> None:
    feeds = by_id(feed("statesman", original=False), feed("courant", original=False), feed("tidewatch"))
    candidates = [item(1, feed_id="statesman", story=7), item(2, feed_id="courant", story=8), item(3, story=8)]
    assert republished(candidates, feeds) == {7}
    old = item(4, story=7, hours_old=900, state=ItemState.KNOWN)
    dropped = item(5, story=7, state=ItemState.DROPPED)
    theirs = item(6, feed_id="courant", story=7, state=ItemState.KNOWN)
    elsewhere = item(7, feed_id="gazette", story=7, state=ItemState.KNOWN)
    everything = digest()
    assert originals([old, dropped, theirs, elsewhere], everything, feeds) == (old,)
    statesman_alone = digest(Section(title="", feeds=("statesman",)))
    assert originals([old], statesman_alone, feeds) == ()
    choices = choose_now([candidates[0], old], everything, feeds)
    assert taken(choices) == [4]


def test_of_equals_the_earliest_is_preferred() -> None:
    feeds = by_id(feed("one", original=False), feed("two", original=False))
    choices = choose_now(
        [item(1, feed_id="one", story=7, hours_old=1), item(2, feed_id="two", story=7, hours_old=5)], digest(), feeds
    )
    assert taken(choices) == [2]
    assert "Two was first" in because(choices, 1)


def test_who_republishes_cannot_allow_more_than_the_original_publisher() -> None:
    feeds = by_id(feed("statesman", original=False), feed("tidewatch", embargo=timedelta(days=2)))
    choices = choose_now([item(1, feed_id="statesman", story=7), item(2, story=7, hours_old=30)], digest(), feeds)
    assert taken(choices) == []
    assert "embargo" in because(choices, 2)


def test_a_source_that_cannot_be_shown_does_not_stand_for_its_story() -> None:
    feeds = by_id(feed("statesman", original=False), feed("tidewatch"))
    choices = choose_now([item(1, feed_id="statesman", story=7), item(2, story=7, url="")], digest(), feeds)
    assert taken(choices) == [1]


def test_an_item_goes_to_the_first_section_that_takes_it() -> None:
    feeds = by_id(feed("tidewatch", topics=("Sea",)), feed("statesman"))
    made = digest(
        Section(title="Water", topics=("sea", "RIVERS")), Section(title="Politics", feeds=("statesman", "tidewatch"))
    )
    items = [item(1), item(2, feed_id="statesman"), item(3, feed_id="statesman", categories=("Rivers",))]
    sections = {choice.item.id: choice.section for choice in choose_now(items, made, feeds)}
    assert sections == {1: 0, 2: 1, 3: 0}


def test_what_a_full_section_cannot_take_goes_to_the_next_that_can() -> None:
    made = digest(Section(title="Top", max_items=1), Section(title="More", max_items=1))
    choices = choose_now([item(1, hours_old=1), item(2, hours_old=2), item(3, hours_old=3)], made, TIDE)
    assert {choice.item.id: choice.section for choice in choices} == {1: 0, 2: 1, 3: None}
    assert "“Top” is full (max_items = 1)" in because(choices, 3)


def test_an_item_no_section_wants_says_so() -> None:
    assert (
        because(choose_now([item(1)], digest(Section(title="Sky", topics=("Stars",))), TIDE), 1)
        == "no section takes it"
    )


def test_a_busy_partner_does_not_push_out_a_quiet_one() -> None:
    feeds = by_id(feed("tidewatch"), feed("quiet"))
    busy = [item(number, hours_old=number) for number in range(1, 21)]
    choices = choose_now([*busy, item(50, feed_id="quiet", hours_old=40)], digest(max_items=5), feeds)
    assert taken(choices) == [1, 2, 3, 4, 50]
    assert "the digest is full (max_items = 5)" in because(choices, 5)


def test_a_long_first_section_does_not_push_out_the_next() -> None:
    feeds = by_id(feed("tidewatch"), feed("quiet"))
    made = digest(Section(title="Sea", feeds=("tidewatch",)), Section(title="Calm", feeds=("quiet",)), max_items=4)
    busy = [item(number, hours_old=number) for number in range(1, 21)]
    assert taken(choose_now([*busy, item(50, feed_id="quiet", hours_old=40)], made, feeds)) == [1, 2, 3, 50]


def test_a_digest_asks_for_the_feeds_of_its_sections_or_for_all() -> None:
    feeds = by_id(feed("tidewatch"), feed("quiet"))
    assert wanted_feeds(digest(Section(title="", feeds=("quiet", "gone"))), feeds) == ("quiet",)
    assert wanted_feeds(digest(Section(title="", topics=("Sea",)), Section(title="", feeds=("quiet",))), feeds) == (
        "tidewatch",
        "quiet",
    )


VALUES = st.lists(st.tuples(st.sampled_from("abc"), st.integers()), unique=True, max_size=30)


@given(values=VALUES, limit=st.integers(0, 12))
def test_shares_differ_by_one_at_most_unless_somebody_has_no_more(values: list[tuple[str, int]], limit: int) -> None:
    shared = fair_share(values, by=lambda value: value[0], limit=limit)
    counts = {name: sum(value[0] == name for value in shared) for name, _ in values}
    for name, count in counts.items():
        has_more = count < sum(value[0] == name for value in values)
        assert not has_more or count >= max(counts.values()) - 1
    assert len(shared) == min(limit, len(values))
