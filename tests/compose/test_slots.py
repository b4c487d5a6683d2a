"""The schedule of a digest: cron lines along local wall time, daylight saving, and late starts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compose.slots import due, next_slot, schedule_fault, slots_between
from newsletter.model.publication import Digest, Section
from newsletter.store.ports import Slot


def digest(
    schedule: str | None, *, timezone: str = "Europe/London", catch_up: timedelta = timedelta(hours=6)
) -> Digest:
    return Digest(
        id="daily",
        list_id="brief",
        schedule=schedule,
        subject="",
        timezone=timezone,
        catch_up=catch_up,
        sections=(Section(title=""),),
    )


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def keys(schedule: str, after: str, until: str, zone: str = "Europe/London") -> list[str]:
    found = slots_between(digest(schedule, timezone=zone), after=at(after, zone), until=at(until, zone))
    return [slot.key for slot in found]


@pytest.mark.parametrize(
    "line",
    [
        "0 7 * * mon-fri",
        "*/15 6-9,18 1 jan,JUL 0",
        "0 7 * * 7",
        "0  7\t* * *",
        "0 7 1,15 * *",
        "59 23 31 12 *",
        "0 7 * * mon#1",
    ],
)
def test_a_sound_cron_line_has_no_fault(line: str) -> None:
    assert schedule_fault(line) is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "five fields"),
        ("@daily", "five fields"),
        ("0 7 * *", "got 4"),
        ("0 0 7 * * *", "got 6"),
        ("60 7 * * *", "minute: expected 0-59"),
        ("0 24 * * *", "hour: expected 0-23"),
        ("0 7 0 * *", "day-of-month: expected 1-31"),
        ("0 7 * 13 *", "month: expected 1-12"),
        ("0 7 * * 8", "day-of-week: expected 0-7"),
        ("0 7 * * mondays", "(got 'mondays')"),
        ("0 7 * * fri-mon", "a rising range"),
        ("*/0 7 * * *", "minute"),
        ("0 7 32 2 *", "day-of-month: expected 1-31"),
    ],
)
def test_a_bad_cron_line_is_told_which_field_and_which_rule(line: str, words: str) -> None:
    fault = schedule_fault(line)
    assert fault is not None
    assert words in fault


@pytest.mark.parametrize(("day", "months"), [("30", "2"), ("31", "4,6"), ("30-31", "feb")])
def test_a_date_that_no_year_has_is_not_called_a_bad_number(day: str, months: str) -> None:
    assert schedule_fault(f"0 7 {day} {months} *") == (
        f"expected a time that comes: no day matches (got day {day} of month {months})"
    )


def test_weekdays_are_those_of_cron() -> None:
    # 23 November 2026 is a Monday.
    assert keys("0 7 * * mon-fri", "2026-11-20T08:00", "2026-11-24T08:00") == ["2026-11-23T07:00", "2026-11-24T07:00"]
    assert keys("0 7 * * 0", "2026-11-20T00:00", "2026-11-24T00:00") == ["2026-11-22T07:00"]
    assert keys("0 7 * * 7", "2026-11-20T00:00", "2026-11-24T00:00") == ["2026-11-22T07:00"]
    assert keys("0 7 * * 1", "2026-11-20T00:00", "2026-11-24T00:00") == ["2026-11-23T07:00"]


def test_day_of_month_and_day_of_week_both_given_means_either() -> None:
    assert keys("0 7 25 * mon", "2026-11-22T00:00", "2026-11-30T00:00") == ["2026-11-23T07:00", "2026-11-25T07:00"]


def test_the_hour_that_comes_twice_counts_once_and_the_first_time() -> None:
    # British clocks went back on 25 October 2026, 02:00 to 01:00.
    found = slots_between(digest("30 1 * * *"), after=at("2026-10-24T12:00"), until=at("2026-10-25T12:00"))
    assert [(slot.key, slot.due_at) for slot in found] == [("2026-10-25T01:30", at("2026-10-25T00:30"))]


def test_a_time_in_the_repeated_hour_asked_again_in_its_second_pass_is_over() -> None:
    assert keys("*/30 1 * * *", "2026-10-24T12:00", "2026-10-25T12:00") == ["2026-10-25T01:00", "2026-10-25T01:30"]
    second_pass = at("2026-10-25T01:10")
    following = next_slot(digest("*/30 1 * * *"), after=second_pass)
    assert following is not None
    assert following.key == "2026-10-26T01:00"


def test_a_time_that_clocks_jump_over_is_due_at_the_next_valid_moment() -> None:
    # British clocks go forward on 29 March 2026, 01:00 to 02:00.
    found = slots_between(digest("30 1 * * *"), after=at("2026-03-28T12:00"), until=at("2026-03-29T12:00"))
    assert [(slot.key, slot.due_at) for slot in found] == [("2026-03-29T01:30", at("2026-03-29T01:00"))]


def test_a_whole_day_that_a_zone_left_out_is_due_when_the_next_begins() -> None:
    # Samoa had no 30 December 2011.
    found = next_slot(digest("0 7 30 12 *", timezone="Pacific/Apia"), after=at("2011-12-29T12:00", "Pacific/Apia"))
    assert found is not None
    assert found.due_at == at("2011-12-31T00:00", "Pacific/Apia")


def test_the_moment_asked_about_belongs_to_the_slots_that_are_over() -> None:
    assert keys("0 7 * * *", "2026-11-23T07:00", "2026-11-24T07:00") == ["2026-11-24T07:00"]


def test_a_digest_without_schedule_is_never_due() -> None:
    assert next_slot(digest(None), after=at("2026-11-23T07:00")) is None
    assert due(digest(None), last=None, now=at("2026-11-23T07:00")).slot is None


def test_a_slot_is_due_once() -> None:
    now = at("2026-11-23T07:00")
    first = due(digest("0 7 * * *"), last=None, now=now)
    assert first.slot is not None
    assert first.slot.key == "2026-11-23T07:00"
    assert due(digest("0 7 * * *"), last=first.slot, now=now + timedelta(hours=1)).slot is None


def test_a_start_within_catch_up_composes_what_was_missed() -> None:
    found = due(digest("0 7 * * *"), last=None, now=at("2026-11-23T12:59"))
    assert found.slot is not None
    assert found.passed == ()


def test_a_start_after_catch_up_skips_the_edition_and_says_so() -> None:
    last = Slot(digest_id="daily", key="2026-11-22T07:00", due_at=at("2026-11-22T07:00"))
    found = due(digest("0 7 * * *"), last=last, now=at("2026-11-23T13:30"))
    assert found.slot is None
    assert [(slot.key, because) for slot, because in found.passed] == [
        ("2026-11-23T07:00", "6h 30min late; catch_up is 6h")
    ]


def test_of_several_missed_slots_only_the_latest_is_composed() -> None:
    last = Slot(digest_id="daily", key="2026-11-20T07:00", due_at=at("2026-11-20T07:00"))
    found = due(digest("0 7 * * *"), last=last, now=at("2026-11-23T08:00"))
    assert found.slot is not None
    assert found.slot.key == "2026-11-23T07:00"
    assert [slot.key for slot, _ in found.passed] == ["2026-11-21T07:00", "2026-11-22T07:00"]


def test_a_digest_seen_for_the_first_time_has_no_past() -> None:
    assert due(digest("0 7 * * *"), last=None, now=at("2026-11-23T22:00")).passed == ()


def test_a_clock_that_jumps_back_makes_nothing_due_twice() -> None:
    last = Slot(digest_id="daily", key="2026-11-23T07:00", due_at=at("2026-11-23T07:00"))
    assert due(digest("0 7 * * *"), last=last, now=at("2026-11-22T07:30")).slot is None


def test_a_digest_without_catch_up_still_appears_on_time() -> None:
    assert due(
        digest("0 7 * * *", catch_up=timedelta(0)), last=None, now=at("2026-11-23T07:00") + timedelta(seconds=40)
    ).slot


def test_months_of_silence_are_not_walked_through() -> None:
    last = Slot(digest_id="daily", key="2020-01-01T00:00", due_at=at("2020-01-01T00:00"))
    found = due(digest("0 7 * * *"), last=last, now=at("2026-11-23T08:00"))
    assert len(found.passed) == 30


NUMBER = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7)}


@st.composite
def fields(draw: st.DrawFn, name: str) -> str:
    low, high = NUMBER[name]
    one = st.integers(low, high)
    kind = draw(st.sampled_from(["star", "star", "list", "range", "step"]))
    if kind == "list":
        return ",".join(map(str, draw(st.lists(one, min_size=1, max_size=3))))
    if kind == "range":
        first, last = sorted([draw(one), draw(one)])
        return f"{first}-{last}"
    return f"*/{draw(st.integers(1, 7))}" if kind == "step" else "*"


def allowed(field: str, name: str) -> set[int]:
    low, high = NUMBER[name]
    if field.startswith("*"):
        return set(range(low, high + 1, int(field[2:] or 1) if "/" in field else 1))
    if "-" in field:
        first, last = field.split("-")
        return set(range(int(first), int(last) + 1))
    return {int(part) for part in field.split(",")}


def matches(line: str, wall: datetime) -> bool:
    minute, hour, day, month, weekday = line.split()
    days = wall.day in allowed(day, "day")
    weekdays = bool({wall.isoweekday(), wall.isoweekday() % 7} & allowed(weekday, "weekday"))
    together = day.startswith("*") or weekday.startswith("*")
    return (
        wall.minute in allowed(minute, "minute")
        and wall.hour in allowed(hour, "hour")
        and wall.month in allowed(month, "month")
        and ((days and weekdays) if together else (days or weekdays))
    )


LINES = st.tuples(*[fields(name) for name in NUMBER]).map(" ".join)
DAYS = st.sampled_from(["2026-03-28T20:00", "2026-10-24T20:00", "2026-11-22T20:00", "2027-12-31T20:00"])


@given(line=LINES, day=DAYS)
def test_the_slots_are_the_minutes_of_the_wall_clock_that_match(line: str, day: str) -> None:
    if schedule_fault(line):
        return
    start = datetime.fromisoformat(day)
    walk = (start + timedelta(minutes=count) for count in range(1, 601))
    expected = [wall.isoformat(timespec="minutes") for wall in walk if matches(line, wall)]
    until = (start + timedelta(minutes=600)).isoformat()
    assert keys(line, day, until) == expected


@given(line=LINES, day=DAYS)
def test_slots_never_run_backwards(line: str, day: str) -> None:
    if schedule_fault(line):
        return
    start = at(day, "Europe/London")
    found = slots_between(digest(line), after=start, until=start + timedelta(hours=10))
    assert [slot.due_at for slot in found] == sorted(slot.due_at for slot in found)
