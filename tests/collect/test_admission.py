from datetime import timedelta

from newsletter.model.feed import Filter
from newsletter.model.identity import Decision, Verdict
from newsletter.model.item import Entry, ItemState
from tests.collect.makers import NOW, Memory, a_feed, an_entry

FEED = a_feed(first_poll=3)


def _entries(count: int, *, start: int = 0) -> list[Entry]:
    return [
        an_entry(headline=f"Story number {at} of the week", published_at=NOW - timedelta(hours=at))
        for at in range(start, start + count)
    ]


def _states(decisions: tuple[Decision, ...]) -> list[ItemState]:
    return [one.state for one in decisions]


def test_a_first_poll_accepts_the_newest_and_knows_the_rest() -> None:
    decisions = Memory().poll(FEED, *reversed(_entries(5)), first=True)
    assert _states(decisions) == [ItemState.KNOWN] * 2 + [ItemState.ACCEPTED] * 3
    assert decisions[0].because == "older than the newest 3 when the feed was first read"


def test_a_first_poll_without_dates_goes_by_the_order_of_the_document() -> None:
    entries = [an_entry(headline=f"Undated story number {at}", published_at=None) for at in range(5)]
    assert _states(Memory().poll(FEED, *entries, first=True)) == [ItemState.ACCEPTED] * 3 + [ItemState.KNOWN] * 2


def test_later_polls_accept_everything_new() -> None:
    assert _states(Memory().poll(FEED, *_entries(9))) == [ItemState.ACCEPTED] * 9


def test_a_flood_is_held_but_for_the_newest() -> None:
    decisions = Memory().poll(FEED, *_entries(16))
    assert _states(decisions) == [ItemState.ACCEPTED] * 3 + [ItemState.HELD] * 13
    assert decisions[-1].because == "16 new items at once: only the newest 3 were let in"


def test_what_is_known_is_no_part_of_a_flood() -> None:
    memory = Memory()
    memory.poll(FEED, *_entries(15))
    assert _states(memory.poll(FEED, *_entries(30)))[15:] == [ItemState.ACCEPTED] * 15


def test_what_the_filter_drops_takes_no_place_among_the_newest() -> None:
    feed = a_feed(first_poll=2, filter=Filter(exclude=("number 0",)))
    decisions = Memory().poll(feed, *_entries(4), first=True)
    assert _states(decisions) == [ItemState.DROPPED, ItemState.ACCEPTED, ItemState.ACCEPTED, ItemState.KNOWN]
    assert decisions[0].because == "excluded by the feed's filter: number 0"


def test_a_filter_does_not_touch_what_is_there_already() -> None:
    memory = Memory()
    memory.poll(FEED, *_entries(1))
    (decision,) = memory.poll(a_feed(filter=Filter(exclude=("story",))), *_entries(1))
    assert decision.verdict is Verdict.KNOWN
