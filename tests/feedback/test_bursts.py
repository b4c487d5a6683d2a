from datetime import UTC, datetime, timedelta

from newsletter.feedback.bursts import Bursts

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
SCANNER, READER = ("daily-1", "192.0.2.1"), ("daily-1", "192.0.2.2")


def test_more_than_three_within_ten_seconds_are_not_a_person_s() -> None:
    bursts = Bursts()
    assert [bursts.takes(SCANNER, now=NOW + timedelta(seconds=number)) for number in range(5)] == [True] * 3 + [
        False
    ] * 2
    assert bursts.takes(READER, now=NOW + timedelta(seconds=5))
    assert bursts.takes(("daily-2", SCANNER[1]), now=NOW + timedelta(seconds=5))


def test_who_takes_their_time_may_follow_all_of_them() -> None:
    bursts = Bursts()
    assert all(bursts.takes(READER, now=NOW + number * timedelta(seconds=4)) for number in range(20))


def test_nobody_is_remembered_for_longer_than_it_takes() -> None:
    bursts = Bursts()
    for number in range(100):
        bursts.takes(("daily-1", f"192.0.2.{number}"), now=NOW)
    bursts.takes(READER, now=NOW + timedelta(seconds=10))
    assert list(bursts._lately) == [READER]


def test_a_clock_that_is_set_back_makes_nobody_a_program() -> None:
    bursts = Bursts()
    assert [bursts.takes(READER, now=NOW - number * timedelta(hours=1)) for number in range(5)] == [True] * 5
