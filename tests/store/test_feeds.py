from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, BrokenBarrierError

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from newsletter.errors import FeedError
from newsletter.model.feed import FeedHealth, FeedState, Habits, Move, Validators
from newsletter.model.identity import Decide, Decision, KeyedEntry, Lookup, Verdict
from newsletter.model.item import Entry, Image, Item, ItemState, Key, KeyKind, PollReport
from newsletter.store.engine import Store
from newsletter.store.feeds import Feeds
from newsletter.store.items import Items
from newsletter.store.ports import Brought, Take
from newsletter.store.tables import AliasRow, ItemRow, MergeRow, StoryRow
from tests.store.together import run_together

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HEALTH = FeedHealth(feed_id="institute", url="https://institute.example/feed")


@pytest.fixture
def feeds(store: Store) -> Feeds:
    return Feeds(store)


@pytest.fixture
def items(store: Store) -> Items:
    return Items(store)


def _entry(name: str, **facts: object) -> KeyedEntry:
    entry = Entry(
        guid=name,
        url=f"https://institute.example/{name}",
        headline=f"About {name}",
        text=f"What there is to say about {name}.",
        content_hash=f"content of {name}",
        source_digest=f"source of {name}",
    )
    key = Key(KeyKind.GUID, "institute", name, strong=True)
    return KeyedEntry(entry=replace(entry, **facts), keys=(key,))  # type: ignore[arg-type]


def _by_strong_key(lookup: Lookup, entries: tuple[KeyedEntry, ...]) -> tuple[Decision, ...]:
    """The plainest decider: an item with the same strong key is the same item."""
    return tuple(_decision(lookup, keyed) for keyed in entries)


def _decision(lookup: Lookup, keyed: KeyedEntry) -> Decision:
    owners = lookup.by_keys(tuple(key for key in keyed.keys if key.strong))
    if not owners:
        return Decision(keyed=keyed, verdict=Verdict.NEW)
    (item,) = lookup.items(next(iter(owners.values()))[:1]).values()
    same = item.entry.content_hash == keyed.entry.content_hash
    return Decision(keyed=keyed, verdict=Verdict.KNOWN if same else Verdict.CHANGED, item_id=item.id)


def _poll(
    feeds: Feeds, *entries: KeyedEntry, now: datetime = NOW, decide: Decide = _by_strong_key, feed: str = "institute"
) -> PollReport:
    health = replace(HEALTH, feed_id=feed, last_status=200, last_try_at=now)
    return feeds.record_items(health, entries, decide, now=now)


def _take(feeds: Feeds, *, now: datetime = NOW) -> FeedHealth | None:
    return feeds.take([Take(feed_id="institute", url=HEALTH.url, now=now, lease=HOUR)])[0]


def _taken(feeds: Feeds, *, now: datetime = NOW) -> FeedHealth:
    found = _take(feeds, now=now)
    assert found is not None
    return found


def _only(items: Iterable[Item]) -> Item:
    (item,) = items
    return item


def _count(store: Store, table: type) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_a_feed_never_asked_has_no_health(feeds: Feeds) -> None:
    assert feeds.health("institute") is None
    assert tuple(feeds.each_health()) == ()


def test_every_feeds_health_is_told_however_many_there_are(feeds: Feeds) -> None:
    names = [f"feed-{at:03}" for at in range(450)]
    feeds.take([Take(feed_id=name, url="https://a.example/feed/", now=NOW, lease=HOUR) for name in names])
    assert [health.feed_id for health in feeds.each_health()] == names


def test_a_lease_on_a_new_feed_adds_it(feeds: Feeds) -> None:
    assert _take(feeds) == HEALTH
    assert tuple(feeds.each_health()) == (HEALTH,)


def test_a_leased_feed_is_nobody_elses_until_the_lease_runs_out(feeds: Feeds) -> None:
    _take(feeds)
    assert _take(feeds, now=NOW + HOUR - timedelta(seconds=1)) is None
    assert _take(feeds, now=NOW + HOUR) is not None


def test_of_many_workers_one_gets_the_lease(feeds: Feeds) -> None:
    at_once = Barrier(6)

    def take(_: int) -> FeedHealth | None:
        at_once.wait()
        return _take(feeds)

    with ThreadPoolExecutor(6) as workers:
        taken = list(workers.map(take, range(6)))
    assert [health for health in taken if health] == [HEALTH]


def test_what_is_taken_and_kept_together_is_each_feeds_own(feeds: Feeds) -> None:
    names = [f"feed-{at}" for at in range(30)]
    takes = [Take(feed_id=name, url=f"https://{name}.example/", now=NOW, lease=HOUR) for name in names]
    first, second = feeds.take(takes * 2)[:30], feeds.take(takes)
    taken = {health.feed_id: health for health in first if health}
    assert sorted(taken) == sorted(names)
    assert set(second) == {None}
    feeds.record_unchanged(
        *(replace(taken[name], body_hash=name, last_try_at=NOW, failures=at) for at, name in enumerate(names))
    )
    assert {(health.feed_id, health.body_hash, health.failures) for health in feeds.each_health()} == {
        (name, name, at) for at, name in enumerate(names)
    }
    again = feeds.take(takes[:1])[0]
    assert again is not None
    assert again.body_hash == names[0]


def test_who_is_so_late_that_another_took_the_feed_writes_nothing(feeds: Feeds, items: Items) -> None:
    late = _taken(feeds)
    now = NOW + HOUR
    theirs = _taken(feeds, now=now)

    with pytest.raises(FeedError, match="another run has asked the feed meanwhile"):
        feeds.record_items(replace(late, body_hash="late"), (_entry("dams"),), _by_strong_key, now=now)
    feeds.record_unchanged(replace(late, because="late"))

    assert items.listed() == ()
    assert feeds.health("institute") == HEALTH
    assert _take(feeds, now=now) is None, "the feed is still theirs"
    feeds.record_unchanged(replace(theirs, body_hash="theirs"))
    assert _taken(feeds, now=now).body_hash == "theirs"


def test_a_lease_that_ran_out_keeps_nobody_from_writing_while_no_other_wants_the_feed(feeds: Feeds) -> None:
    late = _taken(feeds)
    feeds.record_unchanged(replace(late, body_hash="late"))
    assert _taken(feeds, now=NOW + 2 * HOUR).body_hash == "late"


@pytest.mark.parametrize("failed", [False, True])
def test_a_feed_released_while_it_is_asked_stays_released(store: Store, feeds: Feeds, failed: bool) -> None:
    held = replace(HEALTH, state=FeedState.HELD)
    feeds.record_unchanged(held)
    asked = _taken(feeds)
    feeds.release("institute", ItemState.ACCEPTED, because="released by the operator")

    after = replace(asked, failures=1, because="no answer") if failed else replace(asked, body_hash="1" * 64)
    seen: list[bool] = []

    def decide(lookup: Lookup, entries: tuple[KeyedEntry, ...]) -> tuple[Decision, ...]:
        seen.append(lookup.is_held("institute"))
        return _by_strong_key(lookup, entries)

    feeds.record_items(after, (_entry("dams"),), decide, now=NOW)

    kept = feeds.health("institute")
    assert kept is not None
    assert (kept.state, kept.because) == (FeedState.ACTIVE, "no answer" if failed else None)
    assert kept.body_hash == after.body_hash
    assert seen == [False], "nor are its new items held for what it was when it was asked"


def test_a_lease_beyond_any_that_is_given_was_written_by_a_wrong_clock(feeds: Feeds) -> None:
    assert _take(feeds, now=NOW + 9000 * HOUR)
    assert _take(feeds)


def test_a_poll_without_items_keeps_all_of_the_health_and_gives_the_lease_back(feeds: Feeds) -> None:
    health = FeedHealth(
        feed_id="institute",
        fence=_taken(feeds).fence,
        url="https://institute.example/moved",
        state=FeedState.ACTIVE,
        validators=Validators(etag='W/"a\\"b "', last_modified=" Mon, 23 Nov 2026 07:00:00 GMT"),
        body_hash="0" * 64,
        last_status=304,
        last_try_at=NOW,
        last_success_at=NOW - HOUR,
        next_poll_at=NOW + HOUR,
        not_before_at=NOW + 2 * HOUR,
        failures=3,
        because="slow",
        habits=Habits(
            skip_hours=frozenset({1, 2}),
            skip_days=frozenset({6}),
            lasts=HOUR,
            window=30,
            pace=HOUR / 3,
            news_at=NOW - HOUR,
            slowed=1,
            gap_at=NOW - 2 * HOUR,
            move=Move(to="https://new.example/feed", since_at=NOW - HOUR, last_at=NOW, times=3, followed=True),
        ),
    )
    feeds.record_unchanged(health)
    assert feeds.health("institute") == health
    assert _take(feeds) == health


def test_the_server_that_gave_validators_is_remembered_with_them(feeds: Feeds) -> None:
    feeds.record_unchanged(replace(HEALTH, validators=Validators(etag='"1"', origin="https://cdn.example")))
    kept = feeds.health("institute")
    assert kept is not None
    assert (kept.validators.origin, kept.habits) == ("https://cdn.example", Habits())


def test_a_new_entry_becomes_an_item_with_a_story_of_its_own(feeds: Feeds, items: Items) -> None:
    entry = _entry(
        "dams",
        dek="Who drinks",
        byline="A. Writer",
        section_line="Analysis | Middle East",
        categories=("Water", "Wasser, Öl"),
        html="<p>What</p>",
        image=Image(url="https://institute.example/dam.jpg", caption="A dam", credit="Photo: B. Seer", width=600),
        language="en",
        published_at=NOW - HOUR,
        updated_at=NOW,
    )
    report = _poll(feeds, entry)
    assert report == PollReport(feed="institute", status=200, new=1)
    item = _only(items.listed())
    assert item.entry == entry.entry
    assert (item.feed_id, item.state, item.first_seen_at, item.changed_at) == (
        "institute",
        ItemState.ACCEPTED,
        NOW,
        None,
    )
    assert items.sources([item.story_id]) == {item.story_id: (item,)}


def test_the_health_of_a_poll_is_kept_with_its_items(feeds: Feeds) -> None:
    health = replace(_taken(feeds), state=FeedState.ACTIVE, validators=Validators(etag='"one"'), body_hash="1" * 64)
    feeds.record_items(health, (_entry("dams"),), _by_strong_key, now=NOW)
    assert feeds.health("institute") == health
    assert _take(feeds) == health


def test_a_poll_whose_decision_fails_keeps_nothing(feeds: Feeds, items: Items) -> None:
    def fails(lookup: Lookup, entries: tuple[KeyedEntry, ...]) -> tuple[Decision, ...]:
        raise LookupError

    _poll(feeds, _entry("dams"))
    before = feeds.health("institute")
    with pytest.raises(LookupError):
        _poll(feeds, _entry("rivers"), now=NOW + HOUR, decide=fails)
    assert feeds.health("institute") == before
    assert len(items.listed()) == 1


def test_the_same_poll_again_adds_nothing(feeds: Feeds, items: Items) -> None:
    _poll(feeds, _entry("dams"), _entry("rivers"))
    assert _poll(feeds, _entry("dams"), _entry("rivers"), now=NOW + HOUR).known == 2
    assert len(items.listed()) == 2


def test_a_changed_entry_changes_its_item_in_place(feeds: Feeds, items: Items) -> None:
    _poll(feeds, _entry("dams", published_at=NOW - HOUR))
    before = _only(items.listed())
    changed = _entry("dams", headline="About dams, corrected", content_hash="another")
    assert _poll(feeds, changed, now=NOW + HOUR).changed == 1
    after = _only(items.listed())
    assert after == replace(before, entry=changed.entry, changed_at=NOW + HOUR)
    assert after.dated_at == NOW


def test_a_known_entry_brings_its_picture_credit_up_to_date_without_counting_as_changed(
    feeds: Feeds, items: Items
) -> None:
    _poll(feeds, _entry("dams"))
    credited = _entry("dams", image=Image(url="https://institute.example/dam.jpg", credit="Photo: B. Seer"))
    _poll(feeds, credited, now=NOW + HOUR)
    item = _only(items.listed())
    assert item.entry == credited.entry
    assert item.changed_at is None


def test_digests_of_a_feed_are_known_after_its_poll(feeds: Feeds) -> None:
    _poll(feeds, _entry("dams"))
    _poll(feeds, _entry("dams", source_digest="the second"), now=NOW + HOUR)
    asked = ["source of dams", "the second", "never seen"]
    assert feeds.known_digests("institute", asked) == {"the second"}
    assert feeds.known_digests("observatory", asked) == frozenset()
    assert feeds.known_digests("institute", ()) == frozenset()


def test_a_new_item_can_join_a_story_and_the_merge_says_why(feeds: Feeds, items: Items, store: Store) -> None:
    _poll(feeds, _entry("dams"))
    original = _only(items.listed())

    def joins(lookup: Lookup, entries: tuple[KeyedEntry, ...]) -> tuple[Decision, ...]:
        return tuple(
            Decision(keyed=keyed, verdict=Verdict.NEW, story_id=original.story_id, because="same text")
            for keyed in entries
        )

    _poll(feeds, _entry("dams-again"), decide=joins, feed="magazine", now=NOW + HOUR)
    told = items.sources([original.story_id])[original.story_id]
    assert [(item.feed_id, item.because) for item in told] == [("institute", None), ("magazine", "same text")]
    with store.read() as connection:
        assert connection.execute(select(MergeRow.item_id, MergeRow.story_id, MergeRow.because)).all() == [
            (told[1].id, original.story_id, "same text")
        ]
    assert _count(store, StoryRow) == 1


def test_items_keep_the_state_they_were_let_in_with_and_each_counts_once(feeds: Feeds, items: Items) -> None:
    def held(lookup: Lookup, entries: tuple[KeyedEntry, ...]) -> tuple[Decision, ...]:
        states = (ItemState.HELD, ItemState.KNOWN, ItemState.DROPPED, ItemState.ACCEPTED)
        return tuple(
            Decision(keyed=keyed, verdict=Verdict.NEW, state=state, because=f"is {state}")
            for keyed, state in zip(entries, states, strict=True)
        )

    report = _poll(feeds, *map(_entry, "abcd"), decide=held)
    assert (report.new, report.known, report.held) == (2, 1, 1)
    assert {item.entry.guid: (item.state, item.because) for item in items.listed()} == {
        "a": (ItemState.HELD, "is held"),
        "b": (ItemState.KNOWN, "is known"),
        "c": (ItemState.DROPPED, "is dropped"),
        "d": (ItemState.ACCEPTED, "is accepted"),
    }


def test_every_name_an_entry_ever_had_finds_its_item(feeds: Feeds, items: Items, store: Store) -> None:
    first, later = _entry("dams"), Key(KeyKind.LINK, "", "institute.example/dams", strong=False)
    _poll(feeds, first)
    _poll(feeds, replace(first, keys=(*first.keys, later)), now=NOW + HOUR)
    item = _only(items.listed())

    def looks(lookup: Lookup, entries: tuple[KeyedEntry, ...]) -> tuple[Decision, ...]:
        nobodys = Key(KeyKind.LINK, "", "nobody", strong=False)
        asked_weakly = replace(first.keys[0], strong=False)
        assert lookup.by_keys((*first.keys, later, nobodys, asked_weakly)) == {
            first.keys[0]: (item.id,),
            later: (item.id,),
            asked_weakly: (item.id,),
        }
        assert lookup.items((item.id, 999)) == {item.id: item}
        return ()

    _poll(feeds, decide=looks)
    assert _count(store, AliasRow) == 2


def test_a_strong_name_has_one_owner_and_proves_nothing_for_a_second(feeds: Feeds, items: Items) -> None:
    shared = Key(KeyKind.POST_ID, "institute", "7", strong=True)

    def all_new(lookup: Lookup, entries: tuple[KeyedEntry, ...]) -> tuple[Decision, ...]:
        return tuple(Decision(keyed=keyed, verdict=Verdict.NEW) for keyed in entries)

    _poll(feeds, *(replace(_entry(name), keys=(shared,)) for name in "ab"), decide=all_new)
    by_guid = {item.entry.guid: item.id for item in items.listed()}

    def looks(lookup: Lookup, entries: tuple[KeyedEntry, ...]) -> tuple[Decision, ...]:
        assert lookup.by_keys((shared,)) == {shared: (by_guid["a"], by_guid["b"])}
        return ()

    _poll(feeds, decide=looks)


def test_text_that_no_database_can_keep_does_not_stop_a_poll(feeds: Feeds, items: Items) -> None:
    hostile = "nul \0 and a lone \udc80 surrogate"
    entry = replace(
        _entry("dams", headline=hostile, text=hostile), keys=(Key(KeyKind.GUID, "institute", hostile, strong=True),)
    )
    _poll(feeds, entry)
    assert _poll(feeds, entry, now=NOW + HOUR).known == 1
    assert _only(items.listed()).entry.headline == "nul  and a lone  surrogate"


def test_two_workers_never_both_find_the_same_piece_new(feeds: Feeds, items: Items) -> None:
    at_once = Barrier(4)
    entries = tuple(_entry(f"piece-{number}") for number in range(20))

    def poll(_: int) -> PollReport:
        at_once.wait()
        return _poll(feeds, *entries)

    with ThreadPoolExecutor(4) as workers:
        reports = list(workers.map(poll, range(4)))
    assert sorted(report.new for report in reports) == [0, 0, 0, 20]
    assert len(items.listed()) == 20


def test_two_feeds_that_bring_one_piece_at_once_make_one_story(feeds: Feeds, store: Store) -> None:
    both_looked = Barrier(2)
    shared = Key(KeyKind.LINK, "", "institute.example/dams", strong=False)

    def joins(lookup: Lookup, entries: tuple[KeyedEntry, ...]) -> tuple[Decision, ...]:
        told = lookup.items(lookup.by_keys((shared,)).get(shared, ()))
        with suppress(BrokenBarrierError):
            both_looked.wait(timeout=0.5)  # never comes true: the other one may not look before we have written
        story = next((item.story_id for item in told.values()), None)
        return tuple(Decision(keyed=keyed, verdict=Verdict.NEW, story_id=story) for keyed in entries)

    def poll(feed: str) -> None:
        _poll(feeds, replace(_entry("dams"), keys=(shared,)), decide=joins, feed=feed)

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(poll, ("institute", "magazine")))
    assert (_count(store, ItemRow), _count(store, StoryRow)) == (2, 1)


_POLLER = """
from datetime import UTC, datetime
from pathlib import Path

from newsletter.model.feed import FeedHealth
from newsletter.model.identity import Decision, KeyedEntry, Verdict
from newsletter.model.item import Entry, Key, KeyKind
from newsletter.store.engine import Store
from newsletter.store.feeds import Feeds


def decide(lookup, entries):
    return tuple(
        Decision(keyed=keyed, verdict=Verdict.KNOWN if owners else Verdict.NEW, item_id=next(iter(owners), None))
        for keyed in entries
        for owners in [lookup.by_keys(keyed.keys).get(keyed.keys[0], ())]
    )


new = 0
with Store.open(sys.argv[1], site_dir=Path()) as store:
    await_the_others()
    for number in range(30):
        key = Key(KeyKind.GUID, "institute", f"piece-{number}", strong=True)
        entry = Entry(guid=key.value, url="https://institute.example/", headline=key.value)
        health = FeedHealth(feed_id="institute", url="https://institute.example/feed")
        keyed = KeyedEntry(entry=entry, keys=(key,))
        new += Feeds(store).record_items(health, (keyed,), decide, now=datetime(2026, 11, 23, tzinfo=UTC)).new
print(new)
"""


def test_two_programs_never_both_find_the_same_piece_new(items: Items, url: str) -> None:
    said = run_together(_POLLER, url, programs=2)
    assert sum(map(int, said)) == 30
    assert len(items.listed()) == 30


def test_polls_that_are_written_together_see_each_others_news_and_are_told_apart(feeds: Feeds, items: Items) -> None:
    piece = _entry("harbour")
    polls = [
        Brought(health=replace(HEALTH, feed_id=name), entries=(piece,), decide=_by_strong_key, now=NOW)
        for name in ("tidewatch", "institute")
    ]
    tidewatch, institute = feeds.record(polls)
    assert (tidewatch.feed, tidewatch.new, tidewatch.known) == ("tidewatch", 0, 1)
    assert (institute.feed, institute.new, institute.known) == ("institute", 1, 0)
    assert _only(items.listed()).feed_id == "institute"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(polls=st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 2), max_size=6), max_size=5))
def test_whatever_a_feed_shows_its_items_are_what_it_showed_last(
    feeds: Feeds, items: Items, polls: list[dict[str, int]]
) -> None:
    feed = f"feed-{len(tuple(feeds.each_health()))}"
    shown: dict[str, int] = {}
    for number, poll in enumerate(polls):
        entries = []
        for name, version in poll.items():
            keyed = _entry(name, content_hash=f"{version}")
            entries.append(replace(keyed, keys=(replace(keyed.keys[0], scope=feed),)))
        report = _poll(feeds, *entries, now=NOW + number * HOUR, feed=feed)
        assert report.new == len(poll.keys() - shown.keys())
        assert report.changed == sum(name in shown and shown[name] != version for name, version in poll.items())
        assert report.known == sum(shown.get(name) == version for name, version in poll.items())
        shown |= poll
    stored = {item.entry.guid: int(item.entry.content_hash) for item in items.listed(feed_id=feed)}
    assert stored == shown
