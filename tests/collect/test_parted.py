"""What an operator has split, no later poll puts together."""

import pytest

from newsletter.model.item import Entry
from tests.collect.makers import NOW, Memory, a_feed, an_entry
from tests.collect.texts import ARTICLE, NEW_LEAD

FIRST, SECOND, THIRD = a_feed("courier"), a_feed("saltmarsh"), a_feed("level")


def piece(host: str, number: int, text: str) -> Entry:
    return an_entry(
        guid=f"{host}-{number}",
        url=f"https://{host}.example/a-railway-of-its-own-{number}",
        headline=f"Railway number {number} of {host}",
        text=text,
        published_at=NOW,
    )


@pytest.fixture
def memory() -> Memory:
    """Item 1 of one feed and item 2 of another, which a poll took for the same and an operator did not."""
    memory = Memory()
    memory.poll(FIRST, piece("courier", 1, ARTICLE))
    (merged,) = memory.poll(SECOND, piece("saltmarsh", 1, NEW_LEAD + "\n\n" + ARTICLE))
    assert merged.story_id == 1
    memory.split(2, story=1)
    return memory


def test_the_item_stays_apart_when_it_is_seen_again(memory: Memory) -> None:
    (seen,) = memory.poll(SECOND, piece("saltmarsh", 1, NEW_LEAD + "\n\n" + ARTICLE))
    assert (seen.item_id, seen.story_id) == (2, None)
    assert memory.items_by_id[2].story_id != memory.items_by_id[1].story_id


def test_it_stays_apart_when_its_feed_gives_it_new_names(memory: Memory) -> None:
    again = piece("saltmarsh", 2, NEW_LEAD + "\n\n" + ARTICLE)
    (renamed,) = memory.poll(SECOND, again)
    assert renamed.story_id is None
    memory.parted_from.clear()
    (unknowing,) = memory.poll(SECOND, piece("saltmarsh", 3, NEW_LEAD + "\n\n" + ARTICLE))
    assert unknowing.story_id == 1


def test_a_third_feeds_copy_of_it_joins_its_story_and_not_the_other(memory: Memory) -> None:
    (copy,) = memory.poll(THIRD, piece("level", 1, NEW_LEAD + "\n\n" + ARTICLE))
    assert copy.story_id == memory.items_by_id[2].story_id


def test_a_copy_of_the_other_still_joins_the_other(memory: Memory) -> None:
    (copy,) = memory.poll(THIRD, piece("level", 1, ARTICLE))
    assert copy.story_id == 1
