from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.deliver.retry import next_attempt
from newsletter.model.settings import Deliver

POLICY = Deliver()
QUEUED = datetime(2026, 11, 23, 7, tzinfo=UTC)
attempts = st.integers(min_value=1, max_value=10_000)
jitters = st.floats(min_value=0, max_value=1, exclude_max=True)


def tried(attempts: int, *, after: timedelta = timedelta(0), jitter: float = 0.0) -> timedelta | None:
    at = next_attempt(POLICY, attempts=attempts, queued_at=QUEUED, now=QUEUED + after, jitter=jitter)
    return None if at is None else at - QUEUED - after


def test_the_first_wait_is_five_minutes_and_each_doubles() -> None:
    assert [tried(n) for n in (1, 2, 3, 4)] == [timedelta(minutes=m) for m in (5, 10, 20, 40)]


@given(attempts, jitters)
def test_a_wait_never_exceeds_the_longest_wait_by_more_than_the_jitter(attempts: int, jitter: float) -> None:
    wait = tried(attempts, jitter=jitter)
    assert wait is not None
    assert POLICY.first_wait <= wait <= POLICY.longest_wait * 1.1


@given(attempts, jitters)
def test_waits_never_shrink(attempts: int, jitter: float) -> None:
    first, second = tried(attempts, jitter=jitter), tried(attempts + 1, jitter=jitter)
    assert first is not None
    assert second is not None
    assert first <= second


def test_what_was_refused_together_does_not_come_back_together() -> None:
    assert tried(3, jitter=0.0) != tried(3, jitter=0.5)


def test_news_goes_stale_so_we_give_up() -> None:
    assert tried(5, after=POLICY.give_up_after - timedelta(hours=2)) is not None
    assert tried(5, after=POLICY.give_up_after - timedelta(minutes=1)) is None


def test_about_sixteen_tries_fit_into_the_time_we_give_a_mailbox() -> None:
    now, count = QUEUED, 1
    while (at := next_attempt(POLICY, attempts=count, queued_at=QUEUED, now=now, jitter=0.0)) is not None:
        now, count = at, count + 1
    assert 14 <= count <= 18
