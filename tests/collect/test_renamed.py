"""A feed that gives all it has new names, or brings too much at once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.model.feed import Feed
from newsletter.model.identity import Verdict
from newsletter.model.item import Entry, ItemState
from tests.collect.makers import NOW, Memory, a_feed, an_entry
from tests.collect.mutations import pieces

FEED = a_feed("courier")
WINDOW = pieces()[:10]


@pytest.fixture
def memory() -> Memory:
    made = Memory()
    made.poll(FEED, *(piece.entry for piece in WINDOW))
    return made


def moved(number: int, **fields: object) -> Entry:
    """A piece of the window in a new system at a new address, dated at the day of the move."""
    known = {
        "guid": f"node-{number}",
        "url": f"https://new.example/node/{number}7",
        "headline": WINDOW[number].headline,
        "text": WINDOW[number].text,
        "published_at": NOW + timedelta(days=100),
    }
    return an_entry(**known | fields)


def test_a_whole_feed_under_new_names_is_no_news(memory: Memory) -> None:
    decisions = memory.poll(FEED, *(moved(number) for number in range(10)))
    assert [one.item_id for one in decisions] == list(range(1, 11))
    assert {one.verdict for one in decisions} == {Verdict.KNOWN}
    assert decisions[0].because == "item 1 under a new name, like most of its feed"


def test_its_items_are_known_by_the_new_names_from_then_on(memory: Memory) -> None:
    memory.poll(FEED, *(moved(number) for number in range(10)))
    (alone,) = memory.poll(FEED, moved(3, headline="A headline that changed after the move"))
    assert alone.item_id == 4


def test_the_news_among_them_is_news(memory: Memory) -> None:
    new = an_entry(guid="node-99", url="https://new.example/node/997", headline="What nobody knew", text="Now we do.")
    decisions = memory.poll(FEED, *(moved(number) for number in range(10)), new)
    assert [(one.verdict, one.state) for one in decisions[10:]] == [(Verdict.NEW, ItemState.ACCEPTED)]


def test_one_with_a_known_headline_but_another_text_is_held_and_says_why(memory: Memory) -> None:
    other = moved(4, text="A text that has nothing in common with what was said under this headline before.")
    decisions = memory.poll(FEED, *(moved(number) for number in range(10) if number != 4), other)
    assert (decisions[-1].verdict, decisions[-1].state) == (Verdict.NEW, ItemState.HELD)
    assert "has the headline of item 5 but not its text" in (decisions[-1].because or "")


def test_pieces_without_text_are_known_by_headline_and_day(memory: Memory) -> None:
    feed = a_feed("titles")
    memory.poll(feed, *(replace(moved(number, text=""), guid=f"old-{number}", url="") for number in range(5)))
    again = memory.poll(feed, *(moved(number, text="", published_at=NOW + timedelta(days=100)) for number in range(5)))
    assert {one.verdict for one in again} == {Verdict.KNOWN}


def test_columns_that_come_again_are_news(memory: Memory) -> None:
    columns = [
        moved(number, guid=f"column-{number}", text=f"Today's column is about {number} other things, and it is short.")
        for number in range(2)
    ]
    assert {(one.verdict, one.state) for one in memory.poll(FEED, *columns)} == {(Verdict.NEW, ItemState.ACCEPTED)}


def flood(many: int, feed: Feed = FEED) -> list[Entry]:
    return [
        an_entry(
            guid=f"{feed.id}-{at}", url=f"https://courier.example/flood/{at}", headline=f"Flood number {at} of many"
        )
        for at in range(many)
    ]


def test_a_feed_that_is_held_lets_no_more_than_the_newest_in(memory: Memory) -> None:
    feed = a_feed("courier", first_poll=5)
    memory.held = frozenset({"courier"})
    states = [one.state for one in memory.poll(feed, *flood(12))]
    assert (states.count(ItemState.ACCEPTED), states.count(ItemState.HELD)) == (5, 7)


def test_the_same_number_is_let_in_where_nothing_is_wrong(memory: Memory) -> None:
    feed = a_feed("courier", first_poll=5)
    assert {one.state for one in memory.poll(feed, *flood(12))} == {ItemState.ACCEPTED}
