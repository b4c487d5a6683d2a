"""Running asynchronous work from a command, so that Ctrl-C and SIGTERM stop it between two pieces, never inside one."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from newsletter.cli.output import ExitCode

T = TypeVar("T")


def run(work: Callable[[asyncio.Event], Awaitable[T]]) -> tuple[T, bool]:
    """What `work` returned, and whether it was told to stop. It is handed the event that says so."""

    async def guarded() -> tuple[T, bool]:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        return await work(stop), stop.is_set()

    try:
        import uvloop
    except ImportError:
        return asyncio.run(guarded())
    return uvloop.run(guarded())


def leave_if(interrupted: bool) -> None:
    """End the command with 130 if it was told to stop: what it answered is true, but not all that was due."""
    if interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED)
