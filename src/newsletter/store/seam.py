"""The seam between asynchronous code and the synchronous store: a call goes to a thread and always finishes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Op = TypeVar("Op")

_GIVE_UP_AFTER = 2
_APART_SECONDS = 0.05
"""Between two calls for many: a commit costs the same for one and for a hundred, and nobody notices the wait."""


async def in_thread(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """What `call` returns, computed off the event loop.

    When the awaiting task is cancelled the call is still waited for, so that no transaction is left running behind a
    program that believes it has stopped; then the cancellation goes on.
    """
    return await finished(asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs)))


class Together(Generic[Op, T]):
    """What many tasks ask of the store at about the same time, as one call: a commit for many at the price of one.

    `call` answers several operations in their order, at most `most` at a time. What is asked while a call runs goes
    with the next. See `answers_of` for what becomes of calls that fail.
    """

    def __init__(self, call: Callable[[Sequence[Op]], Sequence[T]], *, most: int = 2000) -> None:
        self._call = call
        self._most = most
        self._waiting: list[tuple[Op, asyncio.Future[T]]] = []
        self._busy = False
        self._free_at = 0.0

    def ask(self, op: Op) -> asyncio.Future[T]:
        """The answer, to be waited for by `finished`: nothing that was asked can be taken back."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._waiting.append((op, answer))
        if not self._busy:
            self._busy = True
            # Soon: whoever else is about to ask comes along.
            loop.call_at(self._free_at, self._go_on)
        return answer

    def _go_on(self) -> None:
        group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        loop = asyncio.get_running_loop()
        self._free_at = loop.time() + _APART_SECONDS
        running = loop.run_in_executor(None, answers_of, self._call, [op for op, _ in group])
        running.add_done_callback(lambda done: self._tell(group, done.result()))

    def _tell(self, group: Sequence[tuple[Op, asyncio.Future[T]]], answers: Sequence[T | Exception]) -> None:
        for (_, future), answer in zip(group, answers, strict=True):
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
        self._busy = bool(self._waiting)
        if self._busy:
            asyncio.get_running_loop().call_at(self._free_at, self._go_on)


def answers_of(call: Callable[[Sequence[Op]], Sequence[T]], ops: Sequence[Op]) -> Sequence[T | Exception]:
    """What `call` answers to each of several operations, in their order, or what went wrong with it.

    When a call for several fails they are tried one by one, so that one which is refused takes nobody down with it;
    where the store itself is gone, the first two failures speak for the rest.
    """
    try:
        return call(ops)
    # Whatever went wrong, others are to be served; each who asked is told.
    except Exception as exc:  # noqa: BLE001
        return [exc] if len(ops) == 1 else _answers_alone(call, ops)


def _answers_alone(call: Callable[[Sequence[Op]], Sequence[T]], ops: Sequence[Op]) -> Sequence[T | Exception]:
    answers: list[T | Exception] = []
    failures: list[Exception] = []
    for op in ops:
        if len(failures) < _GIVE_UP_AFTER:
            (answer,) = answers_of(call, [op])
            failures += [answer] if isinstance(answer, Exception) else []
            answers.append(answer)
        else:
            answers.append(failures[-1])
    return answers


async def finished(running: asyncio.Future[T]) -> T:
    """What a future of the store becomes, waited for even by a task that is cancelled."""
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise
