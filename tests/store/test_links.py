from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.model.feed import FeedHealth, FeedState
from newsletter.model.identity import Decision, KeyedEntry, Lookup, Verdict
from newsletter.model.item import Entry, Item, ItemState, Key, KeyKind
from newsletter.model.link import ItemLink, LinkVerdict
from newsletter.store.engine import Store
from newsletter.store.feeds import Feeds
from newsletter.store.items import Items
from newsletter.store.links import APART, DOUBTED_FOR, RECENT, Links

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
HEALTH = FeedHealth(feed_id="institute", url="https://institute.example/feed", state=FeedState.ACTIVE)


def an_item(store: Store, name: str = "dams", *, state: ItemState = ItemState.ACCEPTED, at: datetime = NOW) -> Item:
    """An item that was just read."""
    entry = Entry(
        guid=name, url=f"https://institute.example/{name}", headline=name, published_at=at, source_digest=name
    )
    keyed = KeyedEntry(entry=entry, keys=(Key(KeyKind.GUID, "institute", name, strong=True),))

    def decide(_: Lookup, entries: tuple[KeyedEntry, ...]) -> tuple[Decision, ...]:
        return tuple(Decision(keyed=one, verdict=Verdict.NEW, state=state) for one in entries)

    Feeds(store).record_items(HEALTH, (keyed,), decide, now=at)
    return next(item for item in Items(store).listed() if item.entry.guid == name)


def due(store: Store, now: datetime = NOW) -> list[str]:
    return [link.url.rpartition("/")[2] for link in Links(store).due(now=now, limit=10)]


def link_of(item: Item) -> ItemLink:
    return ItemLink(item_id=item.id, feed_id=item.feed_id, url=item.entry.url)


def state_of(store: Store, item: Item) -> tuple[ItemState, str | None]:
    found = next(one for one in Items(store).listed() if one.id == item.id)
    return found.state, found.because


def test_recent_items_that_wait_for_an_edition_are_looked_at_a_few_times_a_day(store: Store) -> None:
    item = an_item(store)
    an_item(store, "held", state=ItemState.HELD)
    an_item(store, "known", state=ItemState.KNOWN)
    an_item(store, "old", at=NOW - RECENT)
    issued = an_item(store, "issued")
    Items(store).pass_over(list_id="brief", story_ids=[issued.story_id])

    assert due(store) == ["dams"]
    Links(store).note(link_of(item), LinkVerdict.THERE, now=NOW)
    assert due(store, NOW + APART - timedelta(minutes=1)) == []
    assert due(store, NOW + APART) == ["dams"]
    Links(store).note(link_of(item), LinkVerdict.UNKNOWN, now=NOW + APART)
    assert due(store, NOW + APART) == []


def test_what_was_not_looked_at_for_longest_comes_first(store: Store) -> None:
    first, _, third = (an_item(store, name) for name in ("one", "two", "three"))
    Links(store).note(link_of(first), LinkVerdict.THERE, now=NOW - 2 * APART)
    Links(store).note(link_of(third), LinkVerdict.THERE, now=NOW - 3 * APART)
    assert due(store) == ["two", "three", "one"]
    assert len(Links(store).due(now=NOW, limit=2)) == 2


def test_an_item_whose_page_is_gone_twice_an_hour_apart_is_retracted(store: Store) -> None:
    item, links = an_item(store), Links(store)
    looks = [
        links.note(link_of(item), LinkVerdict.GONE, now=NOW + wait)
        for wait in (timedelta(0), timedelta(minutes=59), DOUBTED_FOR, 2 * DOUBTED_FOR)
    ]
    assert looks == [False, False, True, False]
    state, because = state_of(store, item)
    assert state is ItemState.RETRACTED
    assert because
    assert "404 or 410" in because


def test_a_page_in_doubt_is_looked_at_again_soon_and_one_that_is_back_is_doubted_anew(store: Store) -> None:
    item, links = an_item(store), Links(store)
    links.note(link_of(item), LinkVerdict.GONE, now=NOW)
    assert due(store, NOW + timedelta(minutes=59)) == []
    assert due(store, NOW + DOUBTED_FOR) == ["dams"]
    links.note(link_of(item), LinkVerdict.THERE, now=NOW + DOUBTED_FOR)
    assert not links.note(link_of(item), LinkVerdict.GONE, now=NOW + APART)
    assert state_of(store, item)[0] is ItemState.ACCEPTED


def test_an_answer_that_says_nothing_changes_nothing(store: Store) -> None:
    item, links = an_item(store), Links(store)
    links.note(link_of(item), LinkVerdict.GONE, now=NOW)
    assert not links.note(link_of(item), LinkVerdict.UNKNOWN, now=NOW + DOUBTED_FOR)
    assert links.note(link_of(item), LinkVerdict.GONE, now=NOW + 2 * DOUBTED_FOR), "the first sighting still counts"


def test_an_item_is_what_it_was_when_its_page_is_back(store: Store) -> None:
    item, links = an_item(store), Links(store)
    for wait in (timedelta(0), DOUBTED_FOR):
        links.note(link_of(item), LinkVerdict.GONE, now=NOW + wait)
    later = NOW + DOUBTED_FOR + APART
    assert due(store, later) == ["dams"]
    assert links.note(link_of(item), LinkVerdict.THERE, now=later)
    assert state_of(store, item)[0] is ItemState.ACCEPTED


def test_a_feed_that_still_lists_it_does_not_bring_back_what_was_taken_down(store: Store) -> None:
    item, links = an_item(store), Links(store)
    for wait in (timedelta(0), DOUBTED_FOR):
        links.note(link_of(item), LinkVerdict.GONE, now=NOW + wait)
    Feeds(store).record_items(HEALTH, (), lambda *_: (), now=NOW, listed=["dams"])
    assert state_of(store, item)[0] is ItemState.RETRACTED


@pytest.mark.parametrize("meanwhile", [ItemState.DROPPED, ItemState.RETRACTED])
def test_what_an_editor_decided_meanwhile_stands(store: Store, meanwhile: ItemState) -> None:
    item, links = an_item(store), Links(store)
    links.note(link_of(item), LinkVerdict.GONE, now=NOW)
    Items(store).move([item.id], meanwhile, because="an editor's word", now=NOW)
    links.note(link_of(item), LinkVerdict.GONE, now=NOW + DOUBTED_FOR)
    links.note(link_of(item), LinkVerdict.THERE, now=NOW + 2 * DOUBTED_FOR)
    assert state_of(store, replace(item))[0] is meanwhile
