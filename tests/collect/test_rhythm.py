from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.collect.rhythm import LONGEST_WAIT, asked_anew, failed, gone, succeeded, wait, why_not
from newsletter.model.feed import Feed, FeedHealth, FeedState, Habits, Move, Validators
from tests.collect.makers import NOW, a_feed

FEED = a_feed(poll_every=timedelta(hours=1))
HEALTH = FeedHealth(
    feed_id=FEED.id,
    url=FEED.url,
    state=FeedState.ACTIVE,
    validators=Validators(etag='"1"'),
    body_hash="h",
    last_success_at=NOW,
    next_poll_at=NOW,
)


def _failed(health: FeedHealth = HEALTH, *, wait: timedelta | None = None, jitter: float = 0.0) -> FeedHealth:
    return failed(FEED, health, because="x", status=503, wait=wait, now=NOW, jitter=jitter)


def _succeeded(
    health: FeedHealth = HEALTH,
    *,
    jitter: float = 0.5,
    habits: Habits | None = None,
    lifetime: timedelta | None = None,
) -> FeedHealth:
    return succeeded(
        FEED,
        health,
        status=200,
        validators=Validators(),
        body_hash="n",
        now=NOW,
        jitter=jitter,
        habits=habits,
        lifetime=lifetime,
    )


def _wait(habits: Habits | None = None, lifetime: timedelta | None = None, feed: Feed = FEED) -> timedelta:
    return wait(feed, habits or Habits(), lifetime=lifetime, now=NOW)


def test_a_feed_never_asked_is_due() -> None:
    assert why_not(FEED, None, now=NOW, force=False) is None


@pytest.mark.parametrize(
    ("health", "because", "forced"),
    [
        (replace(HEALTH, next_poll_at=NOW + timedelta(minutes=5)), "not due before 2026-03-05 12:05 UTC", None),
        (
            replace(HEALTH, not_before_at=NOW + timedelta(minutes=5)),
            "its server asked not to be asked before",
            "its server asked",
        ),
        (replace(HEALTH, state=FeedState.GONE), "gone for good", "gone for good"),
    ],
)
def test_a_feed_is_not_asked_for_a_reason_that_force_may_not_overrule(
    health: FeedHealth, because: str, forced: str | None
) -> None:
    assert because in (why_not(FEED, health, now=NOW, force=False) or "")
    told = why_not(FEED, health, now=NOW, force=True)
    assert told is None if forced is None else forced in (told or "")


def test_a_feed_that_is_switched_off_is_not_asked() -> None:
    assert why_not(a_feed(enabled=False), None, now=NOW, force=True) == "switched off in its settings"


@pytest.mark.parametrize("force", [False, True])
def test_a_date_written_by_a_clock_that_was_wrong_does_not_silence_a_feed(force: bool) -> None:
    years = timedelta(days=3650)
    health = replace(HEALTH, last_try_at=NOW + years, next_poll_at=NOW + years, not_before_at=NOW + years)
    assert why_not(FEED, health, now=NOW, force=force) is None


def test_two_machines_whose_clocks_differ_by_hours_do_not_ask_in_turns() -> None:
    ahead = replace(HEALTH, last_try_at=NOW + timedelta(hours=3), next_poll_at=NOW + timedelta(hours=4))
    assert why_not(FEED, ahead, now=NOW, force=False) == "not due before 2026-03-05 16:00 UTC"


def test_a_new_address_is_asked_at_once_and_nothing_of_the_old_one_is_sent_there() -> None:
    moved = a_feed(url="https://new.example/feed")
    health = replace(HEALTH, state=FeedState.GONE, next_poll_at=NOW + timedelta(hours=9))
    assert why_not(moved, health, now=NOW, force=False) is None
    anew = asked_anew(moved, health)
    assert (anew.validators, anew.body_hash, anew.state, anew.url) == (Validators(), None, FeedState.ACTIVE, moved.url)


def test_a_url_changed_to_where_the_feed_has_moved_loses_nothing() -> None:
    move = Move(to="https://new.example/feed", since_at=NOW, last_at=NOW, followed=True)
    health = replace(HEALTH, habits=Habits(window=7, move=move))
    anew = asked_anew(a_feed(url=move.to), health)
    assert anew == replace(health, url=move.to, habits=Habits(window=7))


def test_a_success_takes_the_new_validators_and_forgets_failures() -> None:
    after = succeeded(
        FEED, _failed(), status=200, validators=Validators(last_modified="x"), body_hash="n", now=NOW, jitter=0.5
    )
    assert after.validators == Validators(last_modified="x")
    assert (after.failures, after.because, after.not_before_at) == (0, None, None)
    assert _succeeded().next_poll_at == NOW + timedelta(minutes=63)


def test_a_feed_held_for_an_operator_stays_held() -> None:
    held = replace(HEALTH, state=FeedState.HELD)
    after = succeeded(FEED, held, status=304, validators=held.validators, body_hash="h", now=NOW, jitter=0)
    assert after.state is FeedState.HELD


def test_hours_and_days_to_be_spared_are_spared() -> None:
    after = _succeeded(habits=Habits(skip_hours=frozenset({13, 14})))
    assert after.next_poll_at == NOW.replace(hour=15, minute=3)
    thursday_and_friday = Habits(skip_days=frozenset({3, 4}))
    assert _succeeded(habits=thursday_and_friday).next_poll_at == NOW.replace(day=7, hour=0, minute=3)
    assert _succeeded(habits=Habits(skip_hours=frozenset(range(24)))).next_poll_at is not None


def test_hours_to_be_spared_are_remembered_and_spared_after_we_were_away() -> None:
    health = replace(HEALTH, habits=Habits(skip_hours=frozenset({12})), next_poll_at=NOW - timedelta(hours=9))
    assert "skipHours, skipDays), until 2026-03-05 13:00 UTC" in (why_not(FEED, health, now=NOW, force=False) or "")
    assert why_not(FEED, health, now=NOW, force=True) is None
    assert why_not(FEED, health, now=NOW + timedelta(hours=1), force=False) is None


def test_a_server_that_says_how_long_its_answer_is_good_is_believed_up_to_a_day() -> None:
    assert _wait(lifetime=timedelta(minutes=5)) == timedelta(hours=1)
    assert _wait(lifetime=timedelta(hours=7)) == timedelta(hours=7)
    assert _wait(lifetime=timedelta(days=365)) == timedelta(days=1)
    assert _wait(Habits(lasts=timedelta(hours=9))) == timedelta(hours=9)
    assert _wait(lifetime=timedelta(hours=7), feed=a_feed(poll_every=timedelta(days=2))) == timedelta(days=2)


def test_a_feed_that_seldom_brings_something_is_asked_more_seldom_but_not_by_much() -> None:
    assert _wait(Habits(pace=timedelta(hours=1), window=30)) == timedelta(hours=1)
    assert _wait(Habits(pace=timedelta(hours=5), window=30)) == timedelta(hours=2.5)
    assert _wait(Habits(pace=timedelta(days=30), window=30)) == timedelta(hours=4)


def test_a_feed_that_fell_silent_is_asked_more_seldom() -> None:
    busy = Habits(pace=timedelta(hours=1), window=30, news_at=NOW)
    assert _wait(replace(busy, news_at=NOW - timedelta(hours=24))) == timedelta(hours=3)


def test_ten_entries_at_three_an_hour_are_asked_twice_before_they_are_gone_whatever_else_is_said() -> None:
    habits = Habits(pace=timedelta(minutes=20), window=10, lasts=timedelta(hours=12))
    assert _wait(habits, lifetime=timedelta(hours=12)) == timedelta(minutes=100)
    assert _wait(replace(habits, window=3)) == timedelta(hours=12)


@given(
    st.builds(
        Habits,
        lasts=st.none() | st.timedeltas(timedelta(0), timedelta(days=9000)),
        pace=st.none() | st.timedeltas(timedelta(0), timedelta(days=9000)),
        window=st.integers(0, 5000),
        slowed=st.integers(0, 4),
    ),
    st.none() | st.timedeltas(timedelta(0), timedelta(days=9000)),
)
def test_no_feed_is_asked_more_often_than_its_editor_wants_or_less_than_once_a_day(
    habits: Habits, lifetime: timedelta | None
) -> None:
    assert FEED.poll_every <= _wait(habits, lifetime) <= LONGEST_WAIT


def test_a_feed_that_was_asked_too_often_is_asked_more_seldom_for_a_while() -> None:
    slowed = replace(_failed(_failed(HEALTH)), next_poll_at=NOW)
    waits = []
    for _ in range(4):
        slowed = _succeeded(slowed, jitter=0)
        assert slowed.next_poll_at is not None
        waits.append((slowed.next_poll_at - NOW) / timedelta(hours=1))
        slowed = replace(slowed, next_poll_at=NOW)
    assert waits == [4, 2, 1, 1]


def test_feeds_that_were_all_due_at_once_are_spread_over_a_whole_wait() -> None:
    for all_at_once in (None, NOW - timedelta(days=2)):
        health = replace(HEALTH, next_poll_at=all_at_once)
        tenths = [_succeeded(health, jitter=tenth / 10).next_poll_at for tenth in range(10)]
        assert tenths == [NOW + timedelta(minutes=60 + 6 * tenth) for tenth in range(10)]


def test_a_failure_keeps_the_validators_of_the_last_answer_that_was_read() -> None:
    after = _failed()
    assert (after.validators, after.body_hash, after.last_success_at) == (HEALTH.validators, "h", NOW)
    assert (after.failures, after.because, after.last_status) == (1, "x", 503)


@given(st.integers(0, 500), st.floats(0, 0.999))
def test_waits_grow_up_to_a_day_and_never_end(failures: int, jitter: float) -> None:
    one, more = (
        _failed(replace(HEALTH, failures=failures), jitter=jitter),
        _failed(replace(HEALTH, failures=failures + 1)),
    )
    assert one.next_poll_at is not None
    assert more.next_poll_at is not None
    assert timedelta(hours=1) <= one.next_poll_at - NOW <= timedelta(hours=26.4)
    assert more.next_poll_at - NOW >= (one.next_poll_at - NOW) / 1.1


def test_the_server_may_ask_for_a_longer_wait_but_not_for_a_shorter_one() -> None:
    assert _failed(wait=timedelta(hours=5)).next_poll_at == NOW + timedelta(hours=5)
    assert _failed(wait=timedelta(hours=5)).not_before_at == NOW + timedelta(hours=5)
    assert _failed(wait=timedelta(seconds=5)).next_poll_at == NOW + timedelta(hours=1)


def test_what_is_gone_has_no_next_time() -> None:
    after = gone(HEALTH, now=NOW)
    assert (after.state, after.next_poll_at, after.last_status) == (FeedState.GONE, None, 410)
