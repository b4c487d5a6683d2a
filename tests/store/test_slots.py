from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from newsletter.store.engine import Store
from newsletter.store.ports import Slot
from newsletter.store.slots import Slots
from tests.store.samples import NOW

_SEVEN = Slot(digest_id="daily", key="2026-11-23T07:00", due_at=NOW)


def test_a_slot_opens_once_whatever_the_clock_says(store: Store) -> None:
    slots = Slots(store)
    repeated = replace(_SEVEN, due_at=NOW + timedelta(hours=1))
    assert [slots.open(_SEVEN), slots.open(_SEVEN), slots.open(repeated)] == [True, False, False]
    assert slots.unsettled() == (_SEVEN,)


def test_of_many_who_open_a_slot_at_once_one_does(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(lambda _: Slots(store).open(_SEVEN), range(8))) == [False] * 7 + [True]


def test_slots_wait_oldest_first_until_they_are_settled(store: Store) -> None:
    slots = Slots(store)
    eight = replace(_SEVEN, key="2026-11-23T08:00", due_at=NOW + timedelta(hours=1))
    weekly = replace(eight, digest_id="weekly")
    for slot in (weekly, eight, _SEVEN):
        slots.open(slot)
    assert slots.unsettled() == (_SEVEN, eight, weekly)
    slots.settle(_SEVEN, edition_id="daily-2026-11-23", because=None, now=NOW)
    slots.settle(weekly, edition_id=None, because="nothing new", now=NOW)
    assert slots.unsettled() == (eight,)
    assert not slots.open(_SEVEN)


def test_the_last_slot_of_a_digest_is_the_latest_ever_opened(store: Store) -> None:
    slots = Slots(store)
    assert slots.last("daily") is None
    later = replace(_SEVEN, key="2026-11-24T07:00", due_at=NOW + timedelta(days=1))
    for slot in (later, _SEVEN, replace(later, digest_id="weekly", due_at=NOW + timedelta(days=9))):
        slots.open(slot)
    slots.settle(later, edition_id=None, because="nothing new", now=NOW)
    assert slots.last("daily") == later


def test_the_first_outcome_of_a_slot_stays(store: Store) -> None:
    slots = Slots(store)
    slots.open(_SEVEN)
    for edition_id in ("daily-2026-11-23", "daily-2026-11-23-2"):
        slots.settle(_SEVEN, edition_id=edition_id, because=None, now=NOW)
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT edition_id FROM slots").scalars().all() == ["daily-2026-11-23"]
