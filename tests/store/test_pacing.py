"""What all senders share of paces, through the store, on both databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from itertools import pairwise
from threading import Barrier

import pytest

from newsletter.model.pacing import Slowdown
from newsletter.store.engine import Store
from newsletter.store.limits import Limits
from newsletter.store.pacing import Pacing
from tests.store.samples import NOW
from tests.store.together import run_together

SECOND = timedelta(seconds=1)
TENTH = timedelta(seconds=0.1)


@pytest.fixture
def pacing(store: Store) -> Pacing:
    return Pacing(store)


def _turns(pacing: Pacing, *, now: datetime = NOW, wanted: int = 100, scope: str = "relay/main") -> list[timedelta]:
    """Turns of ten a second, up to half a second ahead, as times after NOW."""
    first, many = pacing.turns(scope, wanted=wanted, every=TENTH, ahead=SECOND / 2, now=now)
    return [first + number * TENTH - NOW for number in range(many)]


def _together(many: int, call: Callable[[], int]) -> list[int]:
    at_once = Barrier(many)

    def work(_: int) -> int:
        at_once.wait()
        return call()

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(work, range(many)))


def test_turns_are_given_out_once_and_none_is_far_ahead(pacing: Pacing) -> None:
    assert _turns(pacing, wanted=2) == [0 * TENTH, 1 * TENTH]
    assert _turns(pacing) == [2 * TENTH, 3 * TENTH, 4 * TENTH, 5 * TENTH]
    assert _turns(pacing) == []
    assert _turns(pacing, now=NOW + TENTH) == [6 * TENTH]
    assert len(_turns(pacing, scope="relay/second")) == 6


def test_turns_that_nobody_took_are_over(pacing: Pacing) -> None:
    assert len(_turns(pacing)) == 6
    assert _turns(pacing, now=NOW + SECOND * 100)[0] == SECOND * 100


def test_with_no_turn_free_it_is_said_when_the_next_one_is(pacing: Pacing) -> None:
    _turns(pacing)
    first, many = pacing.turns("relay/main", wanted=1, every=TENTH, ahead=timedelta(0), now=NOW)
    assert (first - NOW, many) == (6 * TENTH, 0)


def test_a_clock_that_is_behind_gets_nothing_twice_and_one_far_ahead_stops_nobody(pacing: Pacing) -> None:
    _turns(pacing, now=NOW + SECOND * 10)
    assert _turns(pacing) == []
    _turns(pacing, now=NOW + SECOND * 1000)
    assert _turns(pacing, wanted=1) == [timedelta(0)]


def test_of_many_who_take_turns_at_once_no_two_get_the_same(pacing: Pacing) -> None:
    taken = _together(6, lambda: len(_turns(pacing, wanted=3)))
    assert sum(taken) == 6


_SENDER = """
from datetime import datetime, timedelta
from pathlib import Path
from newsletter.store.engine import Store
from newsletter.store.pacing import Pacing

url, now = sys.argv[1], datetime.fromisoformat(sys.argv[2])
with Store.open(url, site_dir=Path("/")) as store:
    pacing = Pacing(store)
    await_the_others()
    for number in range(40):
        at = now + number * timedelta(seconds=0.1)
        first, many = pacing.turns(
            "all", wanted=3, every=timedelta(seconds=0.05), ahead=timedelta(seconds=0.2), now=at
        )
        print(*((first + one * timedelta(seconds=0.05)).isoformat() for one in range(many)))
"""


def test_programs_that_take_turns_together_keep_one_rate(store: Store, url: str) -> None:
    said = run_together(_SENDER, url, NOW.isoformat(), programs=2)
    turns = sorted(datetime.fromisoformat(word) for each in said for word in each.split())
    gaps = [after - before for before, after in pairwise(turns)]
    assert min(gaps) == timedelta(seconds=0.05)
    assert 40 <= len(turns) <= 84


def test_a_day_gives_out_its_number_and_takes_back(pacing: Pacing, store: Store) -> None:
    day, ends_at = date(2026, 11, 23), NOW + timedelta(hours=17)

    def take(wanted: int, *, of: date = day) -> int:
        return pacing.take_of_day("warm-up/main", of, wanted=wanted, limit=10, ends_at=ends_at)

    assert [take(6), take(6), take(6)] == [6, 4, 0]
    assert take(-3) == 0
    assert pacing.taken_of_day("warm-up/main", day) == 7
    assert take(9) == 3
    assert take(1, of=day + timedelta(days=1)) == 1
    assert take(-99, of=day + timedelta(days=1)) == pacing.taken_of_day("warm-up/main", day + timedelta(days=1)) == 0
    assert Limits(store).prune(now=ends_at + SECOND) == 2


def test_of_many_who_take_a_day_s_last_at_once_none_gets_too_many(pacing: Pacing) -> None:
    def take() -> int:
        return pacing.take_of_day("warm-up/main", date(2026, 11, 23), wanted=3, limit=10, ends_at=NOW + SECOND)

    assert sum(_together(6, take)) == 10


def test_a_provider_that_asks_for_patience_is_remembered_for_all_and_long_after_forgotten(
    pacing: Pacing, store: Store
) -> None:
    first = pacing.slow("google", rate=600, because="421 4.7.28 slow, anna@example.org", now=NOW)
    again = pacing.slow("google", rate=600, because="on its way already", now=NOW + SECOND)
    assert first == again
    assert Pacing(store).slowdowns() == (first,)
    assert first == Slowdown(
        provider="google",
        rate=300,
        full_rate=600,
        slowed_at=NOW,
        closed_until=first.closed_until,
        complaints=1,
        because="421 4.7.28 slow, [address]",
    )
    later = pacing.slow("google", rate=600, because="once more", now=first.closed_until)
    assert (later.complaints, later.rate, later.full_rate) == (2, 150, 600)
    assert pacing.prune(now=NOW + timedelta(hours=12)) == 0
    assert pacing.prune(now=NOW + timedelta(hours=48)) == 1
    assert pacing.slowdowns() == ()


def test_of_many_who_report_one_complaint_at_once_one_counts(pacing: Pacing) -> None:
    complaints = _together(6, lambda: pacing.slow("google", rate=600, because="slow down", now=NOW).complaints)
    assert complaints == [1] * 6
    assert [each.rate for each in pacing.slowdowns()] == [300]
