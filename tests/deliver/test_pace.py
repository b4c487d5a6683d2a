from hypothesis import given
from hypothesis import strategies as st

from newsletter.deliver.pace import Pace


def turn(pace: Pace, now: float) -> float:
    """Take the next turn: how many seconds after `now` it is."""
    wait = pace.wait(now)
    pace.took(now + wait)
    return wait


def test_a_second_s_worth_goes_at_once_and_the_rest_in_step() -> None:
    pace = Pace(600)
    waits = [round(turn(pace, 100.0), 3) for _ in range(13)]
    assert waits == [0.0] * 10 + [0.1, 0.2, 0.3]


def test_a_slow_relay_gets_one_at_a_time() -> None:
    pace = Pace(6)
    assert [turn(pace, 0.0) for _ in range(3)] == [0.0, 10.0, 20.0]


@given(st.floats(1, 100_000), st.lists(st.floats(0, 10), min_size=1, max_size=200))
def test_no_minute_brings_more_than_the_rate_and_a_second_s_worth(per_minute: float, gaps: list[float]) -> None:
    pace, now, goes = Pace(per_minute), 0.0, []
    for gap in gaps:
        now += gap
        goes.append(now + turn(pace, now))
    allowed = per_minute + max(1.0, per_minute / 60) + 1
    for start in goes:
        assert sum(start <= at < start + 59.999 for at in goes) <= allowed
