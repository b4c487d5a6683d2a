from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update

from newsletter.model.item import Item, ItemState
from newsletter.store.engine import Store
from newsletter.store.items import Items, _unissued
from newsletter.store.tables import EditionItemRow, EditionRow, FeedRow, IssueRow, ItemRow, StoryRow
from tests.made import made_store

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def items(store: Store) -> Items:
    with store.write() as connection:
        for feed_id in ("institute", "magazine"):
            connection.execute(insert(FeedRow).values(id=feed_id, url="", state="active", failures=0))
        for list_id in ("brief", "weekly"):
            connection.execute(insert(EditionRow).values(_edition(f"{list_id}-1", list_id)))
    return Items(store)


def _edition(edition_id: str, list_id: str) -> dict[str, object]:
    texts = dict.fromkeys(("state_because", "subject", "slot", "template_hash", "warnings", "draft"), "")
    instants = dict.fromkeys(("dated_at", "frozen_at", "state_at"), NOW)
    return (
        {"id": edition_id, "digest_id": list_id, "list_id": list_id, "number": 1, "state": "approved"}
        | texts
        | instants
    )


def _item(
    store: Store,
    *,
    feed: str = "institute",
    story: int | None = None,
    state: ItemState = ItemState.ACCEPTED,
    dated_at: datetime = NOW,
) -> int:
    """The id of a new item, with a story of its own unless given one."""
    texts = "url headline dek byline section_line html text content_hash source_digest".split()
    with store.write() as connection:
        if story is None:
            story = connection.scalar(insert(StoryRow).values(created_at=NOW).returning(StoryRow.id))
        values = dict.fromkeys(texts, "") | {"categories": "[]", "direction": "ltr"}
        seen = {"first_seen_at": NOW, "last_seen_at": NOW, "dated_at": dated_at, "published_at": dated_at}
        statement = insert(ItemRow).values(feed_id=feed, story_id=story, state=state, **values, **seen)
        return connection.scalar(statement.returning(ItemRow.id)) or 0


def _story(items: Items, item_id: int) -> int:
    return next(item.story_id for item in items.listed() if item.id == item_id)


def _issue(store: Store, items: Items, item_id: int, edition_id: str = "brief-1") -> None:
    list_id, story = edition_id.partition("-")[0], _story(items, item_id)
    with store.write() as connection:
        connection.execute(insert(IssueRow).values(list_id=list_id, story_id=story, edition_id=edition_id))
        connection.execute(
            insert(EditionItemRow).values(edition_id=edition_id, position=item_id, item_id=item_id, story_id=story)
        )


def _ids(found: Iterable[Item]) -> list[int]:
    return [item.id for item in found]


def _candidates(items: Items, list_id: str = "brief", **options: int) -> list[int]:
    return _ids(items.candidates(list_id=list_id, feed_ids=["institute", "magazine"], **options))


def test_items_are_listed_newest_first(store: Store, items: Items) -> None:
    old, new, newer_id = (_item(store, dated_at=NOW - ago) for ago in (DAY, DAY / 2, DAY / 2))
    assert _ids(items.listed()) == [newer_id, new, old]
    assert _ids(items.listed(limit=1)) == [newer_id]


def test_items_are_listed_by_feed_and_state(store: Store, items: Items) -> None:
    held = _item(store, state=ItemState.HELD)
    _item(store)
    _item(store, feed="magazine", state=ItemState.HELD)
    assert _ids(items.listed(feed_id="institute", state=ItemState.HELD)) == [held]


def test_candidates_are_accepted_items_of_the_feeds_newest_first(store: Store, items: Items) -> None:
    old = _item(store, feed="magazine", dated_at=NOW - DAY)
    new = _item(store)
    for state in set(ItemState) - {ItemState.ACCEPTED}:
        _item(store, state=state)
    assert _candidates(items) == [new, old]
    assert _ids(items.candidates(list_id="brief", feed_ids=["magazine"])) == [old]
    assert _ids(items.candidates(list_id="brief", feed_ids=[])) == []


def test_an_issued_story_is_no_candidate_on_that_list_whichever_feed_tells_it(store: Store, items: Items) -> None:
    issued = _item(store)
    republished = _item(store, feed="magazine", story=_story(items, issued))
    _issue(store, items, issued)
    assert _candidates(items) == []
    assert _candidates(items, "weekly") == [republished, issued]


def test_an_issued_item_is_no_candidate_even_after_it_was_moved_to_another_story(store: Store, items: Items) -> None:
    issued, other = _item(store), _item(store)
    _issue(store, items, issued)
    with store.write() as connection:
        connection.execute(update(ItemRow).where(ItemRow.id == issued).values(story_id=_story(items, other)))
    assert _candidates(items) == [other]
    assert _candidates(items, "weekly") == [other, issued]


def test_a_story_that_was_given_back_is_a_candidate_again(store: Store, items: Items) -> None:
    cancelled = _item(store)
    _issue(store, items, cancelled)
    with store.write() as connection:
        connection.execute(delete(IssueRow))
    assert _candidates(items) == [cancelled]


def test_candidates_past_the_limit_wait_for_their_turn(store: Store, items: Items) -> None:
    oldest, *_, newest = (_item(store, dated_at=NOW + number * DAY) for number in range(3))
    assert _candidates(items, limit=1) == [newest]
    for _ in range(2):
        _issue(store, items, _candidates(items, limit=1)[0])
    assert _candidates(items, limit=1) == [oldest]


def test_a_story_passed_over_is_no_candidate_on_that_list_alone(store: Store, items: Items) -> None:
    item_id = _item(store)
    story = _story(items, item_id)
    assert items.pass_over(list_id="brief", story_ids=[story]) == 1
    assert items.pass_over(list_id="brief", story_ids=[story]) == 0
    assert items.pass_over(list_id="brief", story_ids=[]) == 0
    assert _candidates(items) == []
    assert _candidates(items, "weekly") == [item_id]


def test_candidates_are_found_in_one_index(tmp_path: Path) -> None:
    statement = str(_unissued("brief", "institute", 10).compile(compile_kwargs={"literal_binds": True}))
    with made_store(tmp_path) as store, store.read() as connection:
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
    assert "USING COVERING INDEX ix_items_candidates (state=? AND feed_id=?)" in plan[0]
    assert not [step for step in plan if step.startswith("SCAN") or "TEMP B-TREE" in step]


def test_sources_of_a_story_are_its_items_oldest_first_without_retracted_ones(store: Store, items: Items) -> None:
    later = _item(store)
    story = _story(items, later)
    first = _item(store, feed="magazine", story=story, dated_at=NOW - DAY)
    _item(store, story=story, state=ItemState.RETRACTED)
    sources = items.sources([story, 999])
    assert {story_id: _ids(told) for story_id, told in sources.items()} == {story: [first, later]}


def test_items_move_where_the_table_of_moves_leads_and_keep_why(store: Store, items: Items) -> None:
    held, dropped, accepted = (
        _item(store, state=state) for state in (ItemState.HELD, ItemState.DROPPED, ItemState.ACCEPTED)
    )
    moved = items.move([held, dropped, accepted, 999], ItemState.KNOWN, because="an editor said so", now=NOW)
    assert moved == 1
    assert {item.id: (item.state, item.because) for item in items.listed()} == {
        held: (ItemState.KNOWN, "an editor said so"),
        dropped: (ItemState.DROPPED, None),
        accepted: (ItemState.ACCEPTED, None),
    }
