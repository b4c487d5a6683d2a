"""Reading documents where they can do no harm: small clean ones in a thread, all others in processes that are killed.

A process that takes longer than its deadline, or more memory than its cap, costs one feed one poll.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from newsletter.collect.body import Body, KnownDigests, Page, ParsedFeed
from newsletter.collect.errand import LENGTH, Job, Question, Refusal, packed
from newsletter.errors import ParseError, ended
from newsletter.store.seam import in_thread

if TYPE_CHECKING:
    from newsletter.collect.clean import Cleaned

# Twenty thousand items in ten megabytes take feedparser a quarter of it.
MEMORY_BYTES = 1536 * 1024 * 1024
DEADLINE = timedelta(seconds=60)
# Starting a process takes half as long. Processes need no turns with the thread that asks.
WORTH_PROCESSES = timedelta(seconds=0.5)
# Its output is closed a moment before it is gone.
_DYING = timedelta(seconds=5)
_LONGEST_ANSWER = 256 * 1024 * 1024


@dataclass(slots=True)
class _Slot:
    """A place for one process; None while there is none."""

    process: asyncio.subprocess.Process | None = None


class Parser:
    """A pool of reading processes, started when first needed: `async with Parser() as parser`.

    `here` is how much processor time may go into reading without them.
    """

    def __init__(
        self,
        *,
        processes: int = 2,
        deadline: timedelta = DEADLINE,
        memory_bytes: int = MEMORY_BYTES,
        here: timedelta = WORTH_PROCESSES,
    ) -> None:
        self._deadline = deadline.total_seconds()
        self._memory_bytes = memory_bytes
        self._here_seconds = here.total_seconds()
        self._slots = [_Slot() for _ in range(processes)]
        self._free: asyncio.LifoQueue[_Slot] = asyncio.LifoQueue()

    async def __aenter__(self) -> Self:
        for slot in self._slots:
            self._free.put_nowait(slot)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for slot in self._slots:
            await _end(slot)

    async def parse(self, body: Body, known: KnownDigests, *, now: datetime) -> ParsedFeed:
        """What the body says, without entries whose digests are `known`; ParseError if it takes too much."""
        if (small := await in_thread(self._read_here, body, known, now=now)) is not None:
            return small
        answer = await self._read_there(Job(body=body, now=now), known, feed=body.feed.id)
        assert isinstance(answer, ParsedFeed)
        return answer

    async def article(self, page: Page) -> Cleaned:
        """The article on a page, in a process; ParseError if it takes too much."""
        answer = await self._read_there(page, _nothing_known, feed=page.feed)
        assert not isinstance(answer, ParsedFeed)
        return answer

    async def _read_there(self, job: Job | Page, known: KnownDigests, *, feed: str) -> ParsedFeed | Cleaned:
        async with self._process() as process:
            try:
                async with asyncio.timeout(self._deadline):
                    answer = await _asked(process, job, known)
            except TimeoutError as exc:
                because = f"it could not be read within {self._deadline:g} s"
                raise ParseError(feed, because) from exc
            except (asyncio.IncompleteReadError, ConnectionError) as exc:
                raise ParseError(feed, f"the process that read it {await _fate(process)}") from exc
            except OverflowError as exc:
                raise ParseError(feed, str(exc)) from exc
        if isinstance(answer, Refusal):
            raise ParseError(feed, answer.because)
        return answer

    def _read_here(self, body: Body, known: KnownDigests, *, now: datetime) -> ParsedFeed | None:
        """The same, if it cannot cost much and not much was read here before."""
        if self._here_seconds <= 0:
            return None
        # Loaded when something has changed: most rounds of polls find nothing new, and these are many megabytes.
        from newsletter.collect.read import read_if_small

        began = time.thread_time()
        try:
            return read_if_small(body, known, now=now)
        finally:
            self._here_seconds -= time.thread_time() - began

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """A process for one job. One that failed in any way is ended; the next job gets another."""
        slot = await self._free.get()
        try:
            if slot.process is None or slot.process.returncode is not None:
                slot.process = await self._started()
            yield slot.process
        except BaseException:
            await _end(slot)
            raise
        finally:
            self._free.put_nowait(slot)

    async def _started(self) -> asyncio.subprocess.Process:
        # Its own alarm is for a process whose parent died.
        arguments = ("-m", "newsletter.collect.child", str(self._memory_bytes), str(int(self._deadline) + 5))
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONHASHSEED": "random"},
        )


def _nothing_known(_: Collection[str]) -> frozenset[str]:
    return frozenset()


async def _asked(
    process: asyncio.subprocess.Process, job: Job | Page, known: KnownDigests
) -> ParsedFeed | Cleaned | Refusal:
    assert process.stdin is not None
    question: object = job
    while True:
        process.stdin.write(packed(question))
        await process.stdin.drain()
        answer = await _received(process)
        if not isinstance(answer, Question):
            # Pickles name classes: what came is one of these, and neither is loaded here for nothing.
            return cast("ParsedFeed | Cleaned | Refusal", answer)
        question = await in_thread(known, answer.digests)


async def _received(process: asyncio.subprocess.Process) -> object:
    assert process.stdout is not None
    length = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))[0]
    if length > _LONGEST_ANSWER:
        raise OverflowError(f"what was read of it is larger than {_LONGEST_ANSWER} bytes")
    content = await process.stdout.readexactly(length)
    return await asyncio.to_thread(pickle.loads, content)


async def _fate(process: asyncio.subprocess.Process) -> str:
    """What became of a process that no longer speaks, in words."""
    try:
        async with asyncio.timeout(_DYING.total_seconds()):
            return ended(await process.wait())
    except TimeoutError:
        return "stopped answering"


async def _end(slot: _Slot) -> None:
    """Kill a slot's process and wait until it is gone, even if we are being cancelled."""
    process, slot.process = slot.process, None
    if process is None:
        return
    if process.returncode is None:
        process.kill()
    if process.stdin is not None:
        process.stdin.close()
    await asyncio.shield(process.wait())
