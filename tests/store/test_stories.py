"""Stories merged and split by an operator: nothing issued goes out again, and nothing stays hidden."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.errors import EditionError, NotFoundError
from newsletter.model.edition import EditionState
from newsletter.model.item import ItemState
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.items import Items
from newsletter.store.merges import stories_parted
from newsletter.store.stories import Stories
from tests.store.samples import NOW, add_items, draft_of, freeze

LATER = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
BY_OPERATOR = "merged by the operator"
APART = "split off by the operator"


class Desk:
    """A store with three items, each with a story of its own, and what may be issued of them."""

    def __init__(self, store: Store) -> None:
        self.store, self.stories, self.items = store, Stories(store), Items(store)
        self.ids = tuple(item_id for item_id, _ in add_items(store, 3))
        self._at = NOW

    def merge(self, *items: int) -> None:
        assert self.stories.merge(items, because=BY_OPERATOR, now=self._tick()) is not None

    def split(self, item: int) -> None:
        assert self.stories.split(item, because=APART, now=self._tick()) is not None

    def issue(self, *items: int, on: str = "brief", number: int = 1) -> str:
        """The id of an edition of these items, approved."""
        told = [(item_id, self.story(item_id)) for item_id in items]
        draft = draft_of(told, edition_id=f"{on}-{number}", number=number, list_id=on)
        freeze(self.store, draft)
        return draft.id

    def cancel(self, edition_id: str) -> None:
        Editions(self.store).move(edition_id, EditionState.CANCELLED, now=LATER)

    def story(self, item: int) -> int:
        return self.stories.about(item).item.story_id

    def left(self, on: str = "brief") -> set[int]:
        """What may still be issued on a list."""
        return {item.id for item in self.items.candidates(list_id=on, feed_ids=["observatory"])}

    def _tick(self) -> datetime:
        self._at += timedelta(minutes=1)
        return self._at


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def test_merged_items_tell_the_story_of_the_first(desk: Desk) -> None:
    a, b, c = desk.ids
    story = desk.story(b)
    merged = desk.stories.merge([b, a, c], because=BY_OPERATOR, now=LATER)
    assert merged is not None
    assert (merged.story_id, set(merged.items)) == (story, {a, c})
    assert {desk.story(each) for each in desk.ids} == {story}
    told = desk.stories.about(a)
    assert {other.id for other in told.sources} == {b, c}
    assert {(one.item_id, one.story_id, one.because, one.merged_at, one.undone_at) for one in told.merges} == {
        (each, story, BY_OPERATOR, LATER, None) for each in (a, c)
    }
    assert told.item.because == BY_OPERATOR


def test_all_that_tell_a_merged_story_come_along(desk: Desk) -> None:
    a, b, c = desk.ids
    desk.merge(a, b)
    desk.merge(c, b)
    assert len({desk.story(each) for each in desk.ids}) == 1


def test_items_of_one_story_are_not_merged_again(desk: Desk) -> None:
    a, b, _ = desk.ids
    desk.merge(a, b)
    assert desk.stories.merge([b, a], because=BY_OPERATOR, now=LATER) is None
    assert desk.stories.merge([a], because=BY_OPERATOR, now=LATER) is None
    assert len(desk.stories.about(b).merges) == 1


def test_an_item_that_is_alone_cannot_be_split_off(desk: Desk) -> None:
    assert desk.stories.split(desk.ids[0], because=APART, now=LATER) is None


@pytest.mark.parametrize("known_first", [True, False])
def test_an_item_that_is_not_there_changes_nothing(desk: Desk, known_first: bool) -> None:
    a = desk.ids[0]
    with pytest.raises(NotFoundError, match="no item named '999'"):
        desk.stories.merge([a, 999] if known_first else [999, a], because=BY_OPERATOR, now=LATER)
    with pytest.raises(NotFoundError):
        desk.stories.split(999, because=APART, now=LATER)
    with pytest.raises(NotFoundError):
        desk.stories.about(999)
    assert desk.stories.about(a).merges == ()


@pytest.mark.parametrize("issued_first", [True, False])
def test_what_is_merged_with_an_issued_story_is_not_issued_on_that_list(desk: Desk, issued_first: bool) -> None:
    a, b, c = desk.ids
    desk.issue(a)
    desk.merge(*(a, b) if issued_first else (b, a))
    assert desk.left() == {c}
    assert desk.left("weekly") == {a, b, c}


def test_a_split_frees_what_was_hidden_and_not_what_was_shown(desk: Desk) -> None:
    a, b, c = desk.ids
    desk.merge(a, b)
    desk.issue(a)
    assert desk.left() == {c}
    desk.split(b)
    assert desk.left() == {b, c}


def test_the_shown_item_keeps_the_story_when_it_is_split_off_itself(desk: Desk) -> None:
    a, b, c = desk.ids
    desk.merge(a, b, c)
    story = desk.story(a)
    desk.issue(b)
    desk.split(b)
    assert desk.story(b) == story
    assert desk.story(a) == desk.story(c) != story
    assert desk.left() == {a, c}
    assert [one.because for one in desk.stories.about(a).merges if not one.undone_at] == [
        f"stayed together when item {b} was split off"
    ]


def test_a_merge_that_is_undone_leaves_both_as_they_were(desk: Desk) -> None:
    a, b, c = desk.ids
    desk.issue(a)
    desk.merge(b, a)
    desk.split(a)
    assert desk.story(a) != desk.story(b)
    assert desk.left() == {b, c}


def test_what_was_shown_stays_issued_through_any_number_of_merges_and_splits(desk: Desk) -> None:
    a, b, c = desk.ids
    desk.issue(a)
    desk.merge(b, a)
    desk.split(a)
    desk.merge(c, a)
    assert desk.left() == {b}
    desk.split(c)
    assert desk.left() == {b, c}
    desk.merge(c, b)
    desk.merge(b, a)
    assert desk.left() == set()
    desk.split(a)
    desk.split(b)
    assert desk.left() == {b, c}


def test_items_shown_on_different_lists_stay_issued_on_their_own(desk: Desk) -> None:
    a, b, c = desk.ids
    desk.merge(a, b)
    desk.issue(a, on="brief")
    desk.issue(b, on="weekly")
    desk.split(b)
    assert a not in desk.left("brief")
    assert b not in desk.left("weekly")
    assert b in desk.left("brief")
    assert c in desk.left("brief") & desk.left("weekly")


def test_two_issued_stories_that_are_merged_stay_issued_whichever_edition_is_called_off(desk: Desk) -> None:
    a, b, c = desk.ids
    desk.issue(a)
    second = desk.issue(b, number=2)
    desk.merge(a, b)
    desk.cancel(second)
    assert desk.left() == {c}


def test_an_edition_that_is_called_off_gives_back_what_was_merged_with_it(desk: Desk) -> None:
    a, b, c = desk.ids
    edition = desk.issue(a)
    desk.merge(b, a)
    assert desk.left() == {c}
    desk.cancel(edition)
    assert desk.left() == {a, b, c}


def test_a_story_that_was_passed_over_stays_so_on_both_sides_of_a_split(desk: Desk) -> None:
    a, b, c = desk.ids
    desk.merge(a, b)
    desk.items.pass_over(list_id="brief", story_ids=[desk.story(a)])
    desk.split(b)
    assert desk.left() == {c}


def test_a_draft_composed_before_a_merge_or_a_split_is_not_frozen_after_it(desk: Desk) -> None:
    a, b, _ = desk.ids
    before = draft_of([(b, desk.story(b))])
    desk.merge(a, b)
    with pytest.raises(EditionError, match="merged or split meanwhile: compose again"):
        freeze(desk.store, before)
    merged = draft_of([(b, desk.story(b))])
    desk.split(b)
    with pytest.raises(EditionError, match="compose again"):
        freeze(desk.store, merged)


def test_a_split_is_remembered_until_the_operator_merges_the_two_again(desk: Desk) -> None:
    a, b, _ = desk.ids
    story = desk.story(a)
    desk.merge(a, b)
    desk.split(b)
    assert _parted(desk) == {b: {story}}
    reasons = [(one.because, one.is_split) for one in desk.stories.about(b).merges]
    assert reasons == [(BY_OPERATOR, False), (APART, True)]
    assert all(one.undone_at is not None for one in desk.stories.about(b).merges)
    desk.merge(a, b)
    assert _parted(desk) == {}


def test_a_split_is_remembered_also_when_the_story_becomes_part_of_another(desk: Desk) -> None:
    a, b, c = desk.ids
    desk.merge(a, b)
    desk.split(b)
    desk.merge(c, a)
    assert desk.story(c) in _parted(desk)[b]


def test_a_reason_for_being_held_is_kept(desk: Desk) -> None:
    a, b, _ = desk.ids
    desk.items.move([b], ItemState.DROPPED, because="filtered", now=NOW)
    desk.merge(a, b)
    assert desk.stories.about(b).item.because == "filtered"


def test_an_item_tells_on_which_lists_its_story_was_issued(desk: Desk) -> None:
    a, b, _ = desk.ids
    desk.issue(a)
    desk.merge(a, b)
    desk.items.pass_over(list_id="weekly", story_ids=[desk.story(a)])
    assert desk.stories.about(b).issued == (("brief", "brief-1"), ("weekly", None))


def _parted(desk: Desk) -> dict[int, set[int]]:
    with desk.store.read() as connection:
        return {item_id: set(stories) for item_id, stories in stories_parted(connection, desk.ids).items()}
