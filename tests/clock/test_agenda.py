"""Slots opened and settled once, over a real store; what composing answers is said by the test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.agenda import Agenda, Settled
from newsletter.compose.compose import Composed
from newsletter.errors import RightsError
from newsletter.model.publication import Digest, Section
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.ports import Slot
from newsletter.store.slots import Slots
from tests.made import made_store

SEVEN = datetime(2026, 3, 5, 7, tzinfo=UTC)


def a_digest(name: str = "daily", schedule: str = "0 7 * * *", **more: timedelta) -> Digest:
    return Digest(
        id=name,
        list_id="brief",
        schedule=schedule,
        subject="x",
        timezone="UTC",
        sections=(Section(title=""),),
        **more,  # type: ignore[arg-type]
    )


@dataclass(slots=True)
class World:
    """An agenda over a store, at a moment."""

    store: Store
    now_at: datetime = SEVEN
    asked: list[tuple[str, str]] = field(default_factory=list)
    answer: Callable[[str, Slot], Composed] = lambda digest, slot: Composed(edition_id=f"{digest}-{slot.key[:10]}")

    def now(self) -> datetime:
        return self.now_at

    async def compose(self, digest: str, slot: Slot) -> Composed:
        self.asked.append((digest, slot.key))
        return self.answer(digest, slot)

    def settled(self, *digests: Digest) -> tuple[Settled, ...]:
        agenda = Agenda(
            digests, slots=Slots(self.store), editions=Editions(self.store), clock=self, compose=self.compose
        )
        return asyncio.run(agenda.settle_due())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with made_store(tmp_path) as store:
        yield World(store)


def outcomes(settled: tuple[Settled, ...]) -> list[tuple[str, str | None, str | None]]:
    return [(each.slot.key, each.edition_id, each.because) for each in settled]


def test_a_slot_is_composed_once(world: World) -> None:
    assert outcomes(world.settled(a_digest())) == [("2026-03-05T07:00", "daily-2026-03-05", None)]
    world.now_at += timedelta(minutes=1)

    assert world.settled(a_digest()) == ()
    assert world.asked == [("daily", "2026-03-05T07:00")]


def test_a_slot_without_an_edition_is_settled_with_the_reason_and_not_asked_again(world: World) -> None:
    world.answer = lambda _, __: Composed(because="nothing new to issue")

    assert outcomes(world.settled(a_digest())) == [("2026-03-05T07:00", None, "nothing new to issue")]
    assert world.settled(a_digest()) == ()


@pytest.mark.parametrize("error", [RightsError("daily", "shows too much"), ZeroDivisionError("an error of ours")])
def test_a_failure_leaves_its_slot_open_and_stops_no_other(world: World, error: Exception) -> None:
    def broken(digest: str, _: Slot) -> Composed:
        if digest == "bad":
            raise error
        return Composed(edition_id="daily-2026-03-05")

    world.answer = broken
    both = (a_digest("bad"), a_digest())

    first = {each.slot.digest_id: each for each in world.settled(*both)}

    assert (first["bad"].failed, first["bad"].edition_id) == (True, None)
    assert first["bad"].because
    assert (first["daily"].failed, first["daily"].edition_id) == (False, "daily-2026-03-05")
    world.answer = lambda _, __: Composed(edition_id="bad-2026-03-05")
    assert outcomes(world.settled(*both)) == [("2026-03-05T07:00", "bad-2026-03-05", None)]


def test_a_slot_that_failed_until_it_was_too_late_is_given_up_with_the_reason(world: World) -> None:
    def broken(_: str, __: Slot) -> Composed:
        raise RightsError("daily", "shows too much")

    world.answer = broken
    world.settled(a_digest())
    world.now_at = SEVEN + timedelta(hours=7)

    late = world.settled(a_digest())

    assert outcomes(late) == [("2026-03-05T07:00", None, "7h late; catch_up is 6h")]
    assert len(world.asked) == 1


def test_a_slot_of_a_digest_that_is_no_more_is_settled(world: World) -> None:
    def broken(_: str, __: Slot) -> Composed:
        raise RightsError("daily", "shows too much")

    world.answer = broken
    world.settled(a_digest())

    (gone,) = world.settled(a_digest("another", "0 9 * * *"))

    assert (gone.slot.digest_id, gone.edition_id) == ("daily", None)
    assert "no such digest" in (gone.because or "")
    assert world.settled(a_digest("another", "0 9 * * *")) == ()


def test_a_month_of_missed_minutes_takes_a_moment(world: World) -> None:
    often = a_digest(schedule="* * * * *", catch_up=timedelta(minutes=5))
    world.settled(often)
    world.now_at += timedelta(days=40)
    started = datetime.now(UTC)

    settled = world.settled(often)

    assert len(settled) <= 21
    assert settled[-1].edition_id == "daily-2026-04-14"
    assert datetime.now(UTC) - started < timedelta(seconds=20)
    assert world.settled(often) == ()


def test_a_clock_that_jumps_back_opens_nothing_twice(world: World) -> None:
    world.settled(a_digest())
    for jump in (-timedelta(hours=1), -timedelta(days=3), timedelta(minutes=30)):
        world.now_at = SEVEN + jump
        assert world.settled(a_digest()) == ()
    world.now_at = SEVEN + timedelta(days=1)
    assert outcomes(world.settled(a_digest())) == [("2026-03-06T07:00", "daily-2026-03-06", None)]
