from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model.trouble import PATIENCE, Patience, Trouble, enough, more_trouble, score

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)


def after(*days: float) -> Trouble:
    """What is remembered of failures on these days."""
    trouble = None
    for day in days:
        trouble = more_trouble(trouble, at=NOW + day * DAY)
    assert trouble is not None
    return trouble


def stops_after(every: float) -> int:
    """How many deliveries in that rhythm fail before it is enough."""
    return next(
        n for n in range(1, 100) if enough(after(*(every * k for k in range(n))), now=NOW + every * (n - 1) * DAY)
    )


def test_half_of_the_score_is_left_after_a_half_life() -> None:
    assert score(after(0), now=NOW + PATIENCE.half_life) == pytest.approx(0.5)


@pytest.mark.parametrize(("every", "failures"), [(1, 15), (7, 6)])
def test_trouble_that_goes_on_is_enough(every: float, failures: int) -> None:
    assert stops_after(every) == failures


def test_a_mailbox_that_was_full_over_a_holiday_is_kept() -> None:
    assert not enough(after(*range(13)), now=NOW + 13 * DAY)


def test_now_and_then_is_never_enough() -> None:
    assert not enough(after(*range(0, 3000, 30)), now=NOW + 2970 * DAY)


def test_trouble_that_is_over_is_forgotten() -> None:
    before = after(*range(20))
    assert enough(before, now=NOW + 20 * DAY)
    assert not enough(before, now=NOW + 120 * DAY)
    assert more_trouble(before, at=NOW + 400 * DAY) == after(400)


def test_a_very_old_report_that_comes_late_changes_nothing() -> None:
    assert after(0, -100) == after(0)


@given(st.permutations([0.0, 1, 2, 9, 30, 45]))
def test_the_order_in_which_reports_come_does_not_matter(days: list[float]) -> None:
    trouble, sorted_one = after(*days), after(*sorted(days))
    assert trouble.score == pytest.approx(sorted_one.score)
    assert (trouble.since, trouble.at) == (sorted_one.since, sorted_one.at)


@given(st.floats(0, 10_000), st.floats(-10, 10_000))
def test_the_score_never_grows_by_waiting(first: float, wait: float) -> None:
    trouble = after(0)
    assert score(trouble, now=NOW + (first + max(wait, 0)) * DAY) <= score(trouble, now=NOW + first * DAY) <= 1
    assert score(trouble, now=NOW - DAY) == 1


def test_whoever_runs_a_site_may_have_less_patience() -> None:
    little = Patience(threshold=2, at_least=DAY)
    assert not enough(after(0, 1), now=NOW + DAY)
    assert not enough(after(0), now=NOW, patience=little)
    assert enough(after(0, 1, 2), now=NOW + 2 * DAY, patience=little)


def test_a_shorter_half_life_forgets_sooner() -> None:
    assert score(after(0), now=NOW + 10 * DAY, patience=Patience(half_life=5 * DAY)) == pytest.approx(0.25)
