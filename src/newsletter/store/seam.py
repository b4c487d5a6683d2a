"""The seam between asynchronous code and the synchronous store: a call goes to a thread and always finishes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """What `call` returns, computed off the event loop.

    When the awaiting task is cancelled the call is still waited for, so that no transaction is left running behind a
    program that believes it has stopped; then the cancellation goes on.
    """
    running = asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise
