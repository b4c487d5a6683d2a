"""The loops of `run` over a pipeline that only counts: who is called when, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from newsletter.errors import ProcessError
from newsletter.model.publication import Digest, Section
from newsletter.scheduler import Role, SlotTrigger, Wheel, run

pytestmark = pytest.mark.anyio


def a_digest(schedule: str, *, zone: str = "Europe/London") -> Digest:
    return Digest(
        id="daily", list_id="brief", schedule=schedule, subject="x", timezone=zone, sections=(Section(title=""),)
    )


@dataclass(slots=True)
class Counting:
    """A pipeline without feeds or mail: what it does is said by the test."""

    calls: Counter[str] = field(default_factory=Counter)
    composes: list[int] = field(default_factory=list)
    sending: Callable[[asyncio.Event], asyncio.Future[None] | None] = lambda _: None
    broken: frozenset[str] = frozenset()
    happened: asyncio.Event = field(default_factory=asyncio.Event)

    def digests(self) -> tuple[Digest, ...]:
        return (a_digest("0 7 * * *"),)

    async def poll_due(self, stop: asyncio.Event) -> int:
        del stop
        return self._called("poll")

    async def take_pushed(self, stop: asyncio.Event) -> int:
        del stop
        return self._called("push")

    async def check_links(self, stop: asyncio.Event) -> int:
        del stop
        return self._called("links")

    async def compose_due(self) -> int:
        self._called("compose")
        return self.composes.pop() if self.composes else 0

    async def freeze_rest(self, stop: asyncio.Event) -> bool:
        del stop
        return bool(self._called("freeze"))

    async def send_due(self, stop: asyncio.Event) -> int:
        self._called("send")
        if (waiting := self.sending(stop)) is not None:
            await waiting
        return 0

    async def settle(self) -> int:
        return self._called("settle")

    async def prune(self) -> int:
        return self._called("prune")

    def _called(self, what: str) -> int:
        self.calls[what] += 1
        self.happened.set()
        if what in self.broken:
            raise RuntimeError(what)
        return 0

    async def until(self, condition: Callable[[Counter[str]], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition(self.calls):
                self.happened.clear()
                await self.happened.wait()


def stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


async def serve_nothing(stopped: asyncio.Event) -> None:
    await stopped.wait()


@pytest.mark.parametrize(
    ("role", "does"),
    [(Role.ALL, {"poll", "compose", "send"}), (Role.CLOCK, {"poll", "compose"}), (Role.SENDER, {"send"})],
)
async def test_each_role_does_its_part_at_once_and_ends_when_told(role: Role, does: set[str]) -> None:
    pipeline = Counting()
    running = asyncio.create_task(run(pipeline, role, serve=()))
    await pipeline.until(lambda calls: does <= set(calls))

    stop()
    async with asyncio.timeout(60):
        await running

    assert set(pipeline.calls) & {"poll", "compose", "send"} == does


async def test_pages_are_served_until_the_end(anyio_backend_name: str) -> None:
    served: list[str] = []

    async def serve(stopped: asyncio.Event) -> None:
        served.append("begun")
        stop()
        await stopped.wait()
        served.append("ended")

    async with asyncio.timeout(60):
        await run(Counting(), Role.WEB, serve=(serve,))

    assert served == ["begun", "ended"]


async def test_an_edition_that_was_composed_wakes_the_sender_at_once() -> None:
    pipeline = Counting(composes=[1])
    running = asyncio.create_task(run(pipeline, Role.ALL, serve=(), look_every=timedelta(hours=1)))

    await pipeline.until(lambda calls: calls["send"] >= 2)

    stop()
    await running


async def test_a_step_that_fails_is_tried_again_and_stops_no_other() -> None:
    pipeline = Counting(broken=frozenset({"send", "poll"}), composes=[1, 1])
    running = asyncio.create_task(run(pipeline, Role.ALL, serve=()))

    await pipeline.until(lambda calls: calls["send"] >= 2 and calls["settle"] >= 1 and calls["poll"] >= 1)

    stop()
    async with asyncio.timeout(60):
        await running


async def test_what_was_begun_is_finished_before_it_ends() -> None:
    finished: list[bool] = []

    async def answered(stopped: asyncio.Event) -> None:
        stop()
        await stopped.wait()
        await asyncio.sleep(0.2)
        finished.append(True)

    pipeline = Counting(sending=lambda stopped: asyncio.ensure_future(answered(stopped)))
    async with asyncio.timeout(60):
        await run(pipeline, Role.SENDER, serve=())

    assert finished == [True]


async def test_what_never_ends_is_cut_short_after_the_drain_and_that_is_no_failure() -> None:
    cancelled: list[bool] = []

    async def stuck(_: asyncio.Event) -> None:
        stop()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    pipeline = Counting(sending=lambda stopped: asyncio.ensure_future(stuck(stopped)))
    async with asyncio.timeout(60):
        await run(pipeline, Role.SENDER, serve=(), drain=timedelta(seconds=0.2))

    assert cancelled == [True]


async def test_pages_that_fail_end_the_program_with_the_reason() -> None:
    async def broken(_: asyncio.Event) -> None:
        raise OSError("the port is gone")

    with pytest.raises(ExceptionGroup) as failed:
        await run(Counting(), Role.WEB, serve=(broken,))

    assert "the port is gone" in str(failed.value.exceptions[0])


async def test_an_error_of_ours_that_ends_a_part_ends_the_program_as_itself() -> None:
    async def ended(_: asyncio.Event) -> None:
        raise ProcessError("serves pages", code=-9)

    with pytest.raises(ProcessError, match="the process that serves pages was killed"):
        await run(Counting(), Role.CLOCK, serve=(ended,))


async def test_the_watchdog_is_told_nothing_while_a_process_beside_us_gives_no_sign_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "2000")
    pulse, stopped = asyncio.Event(), asyncio.Event()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        watching = asyncio.create_task(Wheel(Counting(), stopped, pulses=[pulse]).watchdog())
        told = partial(asyncio.get_running_loop().sock_recv, systemd, 100)
        assert await told() == b"WATCHDOG=1"
        await asyncio.sleep(0.1)  # a hundred times as long as it would need
        with pytest.raises(BlockingIOError):
            systemd.recv(100)
        pulse.set()
        assert await told() == b"WATCHDOG=1"
        stopped.set()
        await watching


def test_a_digests_job_fires_as_cron_means_it() -> None:
    """Seven in London on Sunday, in summer; APScheduler's own trigger would take 0 for Monday."""
    trigger = SlotTrigger(a_digest("0 7 * * 0"))
    now = datetime(2026, 6, 5, 12, tzinfo=UTC)

    first = trigger.get_next_fire_time(None, now)
    assert first == datetime(2026, 6, 7, 6, tzinfo=UTC)
    assert trigger.get_next_fire_time(first, first) == datetime(2026, 6, 14, 6, tzinfo=UTC)
    assert trigger.get_next_fire_time(first, datetime(2026, 7, 1, tzinfo=UTC)) == datetime(2026, 7, 5, 6, tzinfo=UTC)
