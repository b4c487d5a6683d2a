from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from newsletter.store.engine import Store
from newsletter.store.limits import Limits

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def limits(store: Store) -> Limits:
    return Limits(store)


def _take(limits: Limits, key: str = "sign-up", *, limit: int = 2, now: datetime = NOW) -> bool:
    return limits.take(key, limit=limit, window=HOUR, now=now)


def test_a_key_is_taken_as_often_as_its_limit_says(limits: Limits) -> None:
    assert [_take(limits) for _ in range(4)] == [True, True, False, False]


def test_a_limit_of_none_lets_nobody_in(limits: Limits) -> None:
    assert not _take(limits, limit=0)


def test_keys_are_counted_apart(limits: Limits) -> None:
    assert [_take(limits, key, limit=1) for key in ("a", "b", "a")] == [True, True, False]


def test_keys_that_differ_only_far_behind_are_counted_apart(limits: Limits) -> None:
    long = "x" * 200
    assert [_take(limits, key, limit=1) for key in (f"{long}a", f"{long}b", f"{long}a")] == [True, True, False]


def test_the_next_window_begins_anew(limits: Limits) -> None:
    assert [_take(limits, limit=1, now=NOW + ago) for ago in (HOUR * 0, HOUR * 0.99, HOUR)] == [True, False, True]


def test_of_many_at_once_exactly_the_limit_gets_through(limits: Limits) -> None:
    at_once = Barrier(8)

    def take(_: int) -> bool:
        at_once.wait()
        return _take(limits, limit=3)

    with ThreadPoolExecutor(8) as takers:
        assert sum(takers.map(take, range(8))) == 3


def test_windows_that_are_over_are_forgotten_and_the_current_one_is_not(limits: Limits) -> None:
    _take(limits, limit=1)
    _take(limits, limit=1, now=NOW + HOUR)
    assert limits.prune(now=NOW + HOUR * 1.5) == 1
    assert not _take(limits, limit=1, now=NOW + HOUR * 1.9)
