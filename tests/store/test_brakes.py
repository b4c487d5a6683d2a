"""What is kept of an item that changes, is withdrawn or held: through the store, on both databases."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.errors import MoveError
from newsletter.model.feed import FeedHealth, FeedState
from newsletter.model.identity import Decision, KeyedEntry, Lookup, Verdict
from newsletter.model.item import Entry, Item, ItemState, Key, KeyKind, PollReport
from newsletter.store.engine import Store
from newsletter.store.feeds import Feeds
from newsletter.store.items import Items
from tests.store.samples import draft_of, freeze

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HEALTH = FeedHealth(feed_id="institute", url="https://institute.example/feed", state=FeedState.ACTIVE)


def _entry(name: str, text: str = "", *, hours: int = 0) -> KeyedEntry:
    entry = Entry(
        guid=name,
        url=f"https://institute.example/{name}",
        headline=f"About {name}",
        text=text or f"What there is to say about {name}.",
        published_at=NOW - hours * HOUR,
        content_hash=f"{name} {text}",
        source_digest=f"{name} {text}",
    )
    return KeyedEntry(entry=entry, keys=(Key(KeyKind.GUID, "institute", name, strong=True),))


def _decide(lookup: Lookup, entries: tuple[KeyedEntry, ...]) -> tuple[Decision, ...]:
    return tuple(_decision(lookup, keyed) for keyed in entries)


def _decision(lookup: Lookup, keyed: KeyedEntry) -> Decision:
    found = lookup.items(lookup.by_keys(keyed.keys).get(keyed.keys[0], ()))
    if not found:
        held = "held" in keyed.entry.headline
        return Decision(keyed=keyed, verdict=Verdict.NEW, state=ItemState.HELD if held else ItemState.ACCEPTED)
    (item,) = found.values()
    same = item.entry.content_hash == keyed.entry.content_hash
    verdict = Verdict.KNOWN if same else Verdict.CHANGED
    return Decision(keyed=keyed, verdict=verdict, item_id=item.id, changed=None if same else "text changed")


@dataclass
class Desk:
    """A feed and what the store makes of its documents."""

    feeds: Feeds
    items: Items
    store: Store
    now: datetime = NOW

    def poll(self, entries: Sequence[KeyedEntry], *, listed: Sequence[str] | None = None) -> PollReport:
        self.now += HOUR
        digests = [keyed.entry.source_digest for keyed in entries] if listed is None else listed
        return self.feeds.record_items(HEALTH, tuple(entries), _decide, now=self.now, listed=digests)

    def item(self, name: str) -> Item:
        return next(item for item in self.items.listed() if item.entry.guid == name)

    def state(self, name: str) -> ItemState:
        return self.item(name).state


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(feeds=Feeds(store), items=Items(store), store=store)


WINDOW = [_entry(name, hours=at) for at, name in enumerate("edcba")]
WITHOUT_C = [keyed for keyed in WINDOW if keyed.entry.guid != "c"]


def test_the_form_an_item_had_is_kept_when_it_changes(desk: Desk) -> None:
    desk.poll([_entry("dams", "It holds.")])
    desk.poll([_entry("dams", "It does not hold.")])
    item = desk.item("dams")
    (revision,) = desk.items.revisions([item.id])[item.id]
    assert (revision.text, revision.because, revision.changed_at) == ("It holds.", "text changed", NOW + 2 * HOUR)
    assert item.changed_at == revision.changed_at
    assert item.entry.text == "It does not hold."


def test_two_forms_that_take_turns_are_kept_once_each(desk: Desk) -> None:
    for text in ("It holds.", "It leaks.") * 4:
        desk.poll([_entry("dams", text)])
    item = desk.item("dams")
    assert [revision.text for revision in desk.items.revisions([item.id])[item.id]] == ["It holds.", "It leaks."]
    assert len(desk.items.listed()) == 1


def test_an_item_that_never_changed_has_no_revision(desk: Desk) -> None:
    desk.poll([_entry("dams")])
    desk.poll([_entry("dams")])
    assert desk.items.revisions([desk.item("dams").id]) == {}


def test_a_change_after_an_edition_says_which_edition_carries_the_earlier_form(desk: Desk) -> None:
    desk.poll([_entry("dams", "It holds.")])
    item = desk.item("dams")
    freeze(desk.store, draft_of([(item.id, item.story_id)]), now=desk.now)
    desk.poll([_entry("dams", "It leaks.")])
    (revision,) = desk.items.revisions([item.id])[item.id]
    assert len(revision.issued_in) == 1


def test_an_item_gone_from_the_middle_once_stays_as_it_is(desk: Desk) -> None:
    desk.poll(WINDOW)
    assert desk.poll(WITHOUT_C).retracted == 0
    assert desk.state("c") is ItemState.ACCEPTED
    assert desk.feeds.doubtful() == {"institute"}


def test_an_item_gone_from_the_middle_twice_is_retracted_and_is_no_candidate(desk: Desk) -> None:
    desk.poll(WINDOW)
    desk.poll(WITHOUT_C)
    assert desk.poll([_entry("f", hours=-1), *WITHOUT_C]).retracted == 1
    item = desk.item("c")
    assert item.state is ItemState.RETRACTED
    assert "withdrawn by its publisher" in (item.because or "")
    candidates = desk.items.candidates(list_id="brief", feed_ids=["institute"])
    assert item.id not in {one.id for one in candidates}
    assert desk.feeds.doubtful() == frozenset()


def test_the_same_list_again_counts_as_a_second_poll(desk: Desk) -> None:
    desk.poll(WINDOW)
    desk.poll(WITHOUT_C)
    assert desk.feeds.listed_again("institute") == 1
    assert desk.feeds.listed_again("institute") == 0
    assert desk.state("c") is ItemState.RETRACTED


def test_entries_known_by_their_bytes_count_as_listed(desk: Desk) -> None:
    desk.poll(WINDOW)
    listed = [keyed.entry.source_digest for keyed in WINDOW]
    for _ in range(2):
        assert desk.poll([], listed=listed).retracted == 0
    without = [digest for digest in listed if not digest.startswith("c")]
    desk.poll([], listed=without)
    assert desk.poll([], listed=without).retracted == 1


def test_a_retracted_item_that_is_listed_again_is_what_it_was(desk: Desk) -> None:
    desk.poll(WINDOW)
    desk.poll(WITHOUT_C)
    desk.poll(WITHOUT_C)
    desk.poll(WINDOW)
    assert desk.state("c") is ItemState.ACCEPTED


def test_history_that_was_withdrawn_does_not_come_back_as_news(desk: Desk) -> None:
    desk.poll(WINDOW)
    desk.items.move([desk.item("c").id], ItemState.DROPPED, because="no news", now=NOW)
    for window in (WITHOUT_C, WITHOUT_C):
        desk.poll(window)
    assert desk.state("c") is ItemState.RETRACTED
    desk.poll(WINDOW)
    assert desk.state("c") is ItemState.DROPPED


def test_what_an_editor_retracted_stays_retracted_though_it_is_listed(desk: Desk) -> None:
    desk.poll(WINDOW)
    desk.items.move([desk.item("c").id], ItemState.RETRACTED, because="the author asked us to", now=NOW)
    desk.poll(WINDOW)
    assert desk.state("c") is ItemState.RETRACTED


def test_a_document_of_which_nothing_can_be_said_retracts_nothing(desk: Desk) -> None:
    desk.poll(WINDOW)
    for listed in ((), None, ()):
        assert desk.poll(WITHOUT_C, listed=listed).retracted == 0
    assert desk.state("c") is ItemState.ACCEPTED


def test_a_poll_that_holds_items_holds_its_feed_and_says_what_to_do(desk: Desk) -> None:
    report = desk.poll([_entry("held-1"), _entry("dams")])
    health = desk.feeds.health("institute")
    assert health is not None
    assert (report.held, health.state) == (1, FeedState.HELD)
    assert "1 item that came at once is held" in (report.because or "")
    assert "newsletter feeds release institute" in (health.wrong or "")


@pytest.mark.parametrize("after", [ItemState.ACCEPTED, ItemState.KNOWN, ItemState.DROPPED])
def test_a_release_moves_what_was_held_and_lets_the_feed_go_its_way(desk: Desk, after: ItemState) -> None:
    desk.poll([_entry("held-1"), _entry("held-2"), _entry("dams")])
    assert desk.feeds.release("institute", after, because="released by the operator") == 2
    health = desk.feeds.health("institute")
    assert health is not None
    assert (health.state, health.wrong) == (FeedState.ACTIVE, None)
    assert {desk.state("held-1"), desk.state("held-2")} == {after}
    assert desk.state("dams") is ItemState.ACCEPTED
    assert desk.feeds.release("institute", after, because="again") == 0


def test_held_items_are_not_released_to_where_no_move_leads(desk: Desk) -> None:
    desk.poll([_entry("held-1")])
    with pytest.raises(MoveError):
        desk.feeds.release("institute", ItemState.HELD, because="no")


def test_a_feed_that_is_gone_stays_gone_when_it_is_released(desk: Desk) -> None:
    desk.poll([_entry("held-1")])
    desk.feeds.record_unchanged(replace(HEALTH, state=FeedState.GONE))
    desk.feeds.release("institute", ItemState.ACCEPTED, because="released by the operator")
    health = desk.feeds.health("institute")
    assert health is not None
    assert health.state is FeedState.GONE
