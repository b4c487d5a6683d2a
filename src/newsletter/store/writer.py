"""One thread that commits whatever has gathered while it was busy: a durable write for many at the price of one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from newsletter.errors import StoreError
from newsletter.store.seam import answers_of

Op = TypeVar("Op")
T = TypeVar("T")
Commit = Callable[[Sequence[Op]], Sequence[bool]]
"""Writes a group in one transaction and says of each operation, in the same order, whether it was done."""

LARGEST = 2000
"""Operations in one group, about."""
_BUSY = 16
"""So many callers in one group: more are on their way, and waiting for them costs less than a commit for few."""
_LINGER_SECONDS = 0.008


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Op]):
    ops: tuple[Op, ...]
    tell: Callable[[tuple[bool, ...]], None]
    fail: Callable[[BaseException], None]


class GroupWriter(Generic[Op]):
    """Resolves a Future for each operation once its group is committed.

    A group is what arrived during the commit before; only after one with `busy` callers is there a wait for more,
    unless a whole group of them waits already. See `answers_of` for what becomes of groups that fail.
    """

    def __init__(
        self, commit: Commit[Op], *, name: str, busy: int = _BUSY, linger_seconds: float = _LINGER_SECONDS
    ) -> None:
        self._commit = commit
        self._name = name
        self._busy = busy
        self._linger_seconds = linger_seconds
        self._queue: SimpleQueue[_Waiting[Op] | None] = SimpleQueue()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._closing = threading.Event()

    def submit(self, op: Op) -> Future[bool]:
        """A promise that `op` is durable when it resolves. It cannot be taken back. StoreError after `close`."""
        kept: Future[bool] = _promise()
        self._put(_Waiting((op,), lambda done: kept.set_result(done[0]), kept.set_exception))
        return kept

    def submit_all(self, ops: Sequence[Op]) -> Future[tuple[bool, ...]]:
        """The same for several, in one future: they are in one group together, and their answers in their order."""
        kept: Future[tuple[bool, ...]] = _promise()
        self._put(_Waiting(tuple(ops), kept.set_result, kept.set_exception))
        return kept

    def _put(self, waiting: _Waiting[Op]) -> None:
        with self._guard:
            if self._closed:
                raise StoreError(f"the {self._name} was closed: nothing more can be written")
            self._queue.put(waiting)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"{self._name}-writer", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Write all that waits, then stop. May be called twice."""
        with self._guard:
            if not self._closed:
                self._queue.put(None)
            self._closed = True
            self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, last = self._gathered(first)
            self._write(group)
            if last:
                return
            if len(group) >= self._busy and self._queue.qsize() < LARGEST:
                self._closing.wait(self._linger_seconds)

    def _gathered(self, first: _Waiting[Op]) -> tuple[list[_Waiting[Op]], bool]:
        group, many = [first], len(first.ops)
        while many < LARGEST:
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                break
            if waiting is None:
                return group, True
            group.append(waiting)
            many += len(waiting.ops)
        return group, False

    def _write(self, group: Sequence[_Waiting[Op]]) -> None:
        answers = iter(answers_of(self._commit, [op for waiting in group for op in waiting.ops]))
        for waiting in group:
            done: list[bool] = []
            failure: Exception | None = None
            for answer in islice(answers, len(waiting.ops)):
                if isinstance(answer, Exception):
                    failure = answer
                else:
                    done.append(answer)
            if failure is None:
                waiting.tell(tuple(done))
            else:
                waiting.fail(_as_store_error(failure, self._name))


def _promise() -> Future[T]:
    """A future that runs from the start: a caller who is cancelled must not cancel an outcome that is true anyway."""
    kept: Future[T] = Future()
    kept.set_running_or_notify_cancel()
    return kept


def _as_store_error(exc: Exception, name: str) -> StoreError:
    """A new error each time: futures must not share one, since each raise adds to its traceback."""
    error = StoreError(
        str(exc) if isinstance(exc, StoreError) else f"the {name} could not be written: {type(exc).__name__}"
    )
    error.__cause__ = exc
    return error
