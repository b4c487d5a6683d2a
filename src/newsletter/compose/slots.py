"""When editions are due: a cron line walked along local wall time, so that no hour counts twice and none is lost.

A slot is named by the wall clock (`2026-11-23T07:00`). Where clocks go back, the hour that comes twice has each name
once, and counts the first time; where they go forward, a time that does not exist is due at the next moment that does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from newsletter.model.publication import Digest
from newsletter.store.ports import Slot

_FIELDS = {
    "minute": "0-59",
    "hour": "0-23",
    "day-of-month": "1-31",
    "month": "1-12 or jan-dec",
    "day-of-week": "0-7 (0 and 7 are Sunday) or sun-sat",
}
_NEVER = "expected a time that comes: no day matches"
_MINUTE = timedelta(minutes=1)
_LONGEST_LOOK_BACK = timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The one slot to compose now, if any, and those that are passed over for good, each with the reason."""

    slot: Slot | None = None
    passed: tuple[tuple[Slot, str], ...] = ()


def schedule_fault(line: str) -> str | None:
    """What is wrong with a cron line, as a rule an editor can act on; None if it is sound."""
    fields = line.split()
    if len(fields) != len(_FIELDS):
        return f"expected five fields: minute, hour, day of month, month, day of week (got {len(fields)})"
    try:
        moments = CronSim(line, datetime(2000, 1, 1))  # noqa: DTZ001 wall time: it has no zone yet
    except CronSimError as error:
        return _field_fault(str(error), dict(zip(_FIELDS, fields, strict=True)))
    return None if next(moments, None) else _NEVER


def _field_fault(said: str, fields: dict[str, str]) -> str:
    name = said.removeprefix("Bad ")
    if name not in fields:
        return f"expected a cron line ({said})"
    if name == "day-of-month" and fields["month"] != "*" and schedule_fault(f"0 0 {fields[name]} * *") is None:
        # cronsim says the same of a day that no month has and of one that only these months lack.
        return f"{_NEVER} (got day {fields[name]} of month {fields['month']})"
    return (
        f"{name}: expected {_FIELDS[name]}, as a number, a list (1,15), a rising range (1-5), "
        f"a step (*/2) or * (got {fields[name]!r})"
    )


def next_slot(digest: Digest, *, after: datetime) -> Slot | None:
    """The first slot that is due later than `after`; None if the digest has no schedule."""
    return next(_slots(digest, after), None)


def slots_between(digest: Digest, *, after: datetime, until: datetime) -> tuple[Slot, ...]:
    """The slots due later than `after` and not later than `until`, in order."""
    return tuple(takewhile(lambda slot: slot.due_at <= until, _slots(digest, after)))


def due(digest: Digest, *, last: Slot | None, now: datetime) -> Due:
    """What to do now, given the last slot that was ever opened.

    Of several missed slots only the latest is due, and only within `catch_up`; of a digest without any slot so far
    nothing older than `catch_up` is looked at.
    """
    window = max(digest.catch_up, _MINUTE)
    after = max(last.due_at, now - _LONGEST_LOOK_BACK) if last else now - window
    missed = slots_between(digest, after=after, until=now)
    if not missed:
        return Due()
    latest = missed[-1]
    passed = [(slot, f"the edition of {latest.key} takes its place") for slot in missed[:-1]]
    late = too_late(digest, latest, now=now)
    if late:
        passed.append((latest, late))
    return Due(slot=None if late else latest, passed=tuple(passed))


def too_late(digest: Digest, slot: Slot, *, now: datetime) -> str | None:
    """Why a slot is not composed any more, or None. One that is less than a minute old is never late."""
    if now - slot.due_at <= max(digest.catch_up, _MINUTE):
        return None
    return f"{_words(now - slot.due_at)} late; catch_up is {_words(digest.catch_up)}"


def _slots(digest: Digest, after: datetime) -> Iterator[Slot]:
    if digest.schedule is None:
        return
    zone = ZoneInfo(digest.timezone)
    # Walking naive wall time gives each name once; what the zone does to it is settled slot by slot.
    for wall in CronSim(digest.schedule, after.astimezone(zone).replace(tzinfo=None)):
        due_at = _instant(wall, zone)
        if due_at > after:
            yield Slot(digest_id=digest.id, key=wall.isoformat(timespec="minutes"), due_at=due_at)


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """When the wall clock first shows `wall`, or passes it by."""
    while True:
        instant = wall.replace(tzinfo=zone).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == wall:
            return instant
        wall += _MINUTE


def _words(wait: timedelta) -> str:
    minutes = int(wait / _MINUTE)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{count}{unit}" for count, unit in ((days, "d"), (hours, "h"), (rest, "min")) if count]
    return " ".join(parts) or "0min"
