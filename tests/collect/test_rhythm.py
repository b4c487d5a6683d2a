from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.collect.rhythm import asked_anew, failed, gone, succeeded, why_not
from newsletter.model.feed import FeedHealth, FeedState, Validators
from tests.collect.makers import NOW, a_feed

FEED = a_feed(poll_every=timedelta(hours=1))
HEALTH = FeedHealth(
    feed_id=FEED.id,
    url=FEED.url,
    state=FeedState.ACTIVE,
    validators=Validators(etag='"1"'),
    body_hash="h",
    last_success_at=NOW,
)


def _failed(health: FeedHealth = HEALTH, *, wait: timedelta | None = None, jitter: float = 0.0) -> FeedHealth:
    return failed(FEED, health, because="x", status=503, wait=wait, now=NOW, jitter=jitter)


def _succeeded(**more: frozenset[int]) -> FeedHealth:
    return succeeded(FEED, HEALTH, status=200, validators=Validators(), body_hash="n", now=NOW, jitter=0.5, **more)


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


def test_a_date_written_by_a_clock_that_was_wrong_does_not_silence_a_feed() -> None:
    health = replace(HEALTH, next_poll_at=NOW + timedelta(days=3650))
    assert why_not(FEED, health, now=NOW, force=False) is None


def test_a_new_address_is_asked_at_once_and_nothing_of_the_old_one_is_sent_there() -> None:
    moved = a_feed(url="https://new.example/feed")
    health = replace(HEALTH, state=FeedState.GONE, next_poll_at=NOW + timedelta(hours=9))
    assert why_not(moved, health, now=NOW, force=False) is None
    anew = asked_anew(moved, health)
    assert (anew.validators, anew.body_hash, anew.state, anew.url) == (Validators(), None, FeedState.ACTIVE, moved.url)


def test_a_success_takes_the_new_validators_and_forgets_failures() -> None:
    after = succeeded(
        FEED, _failed(), status=200, validators=Validators(last_modified="x"), body_hash="n", now=NOW, jitter=0.5
    )
    assert after.validators == Validators(last_modified="x")
    assert (after.failures, after.because, after.not_before_at) == (0, None, None)
    assert after.next_poll_at == NOW + timedelta(minutes=63)


def test_a_feed_held_for_an_operator_stays_held() -> None:
    held = replace(HEALTH, state=FeedState.HELD)
    after = succeeded(FEED, held, status=304, validators=held.validators, body_hash="h", now=NOW, jitter=0)
    assert after.state is FeedState.HELD


def test_hours_to_be_spared_are_spared() -> None:
    assert _succeeded(skip_hours=frozenset({13, 14})).next_poll_at == NOW.replace(hour=15, minute=0)
    assert _succeeded(skip_hours=frozenset(range(24))).next_poll_at is not None


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
