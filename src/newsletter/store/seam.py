"""The seam between asynchronous code and the synchronous store: a call goes to a thread and always finishes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """What `call` returns, computed off the event loop.

    When the awaiting task is cancelled the call is still waited for, so that no transaction is left running behind a
    program that believes it has stopped; then the cancellation goes on.
    """
    return await _finished(asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs)))


async def kept(promise: Future[T]) -> T:
    """What a promise of the store resolves to, waited for in the same way."""
    return await _finished(asyncio.wrap_future(promise))


async def _finished(running: asyncio.Future[T]) -> T:
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise
