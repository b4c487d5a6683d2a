"""A part of this program in a process of its own, so that the interpreter's one lock is not between it and the rest.

The two live and die together. The other process stops when it is told to or when its standard input ends, which is when
we are gone, whatever ended us; if it ends by itself, so do we, and whoever watches us starts both anew. What it writes
to its standard output is its pulse.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Sequence
from typing import Final

from newsletter.errors import ProcessError

_FOR_US_ALONE: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""Who started us is told by us how both are."""
_DONE: Final = {0, -signal.SIGTERM}
"""How it may end when it is told to: the latter where it had not begun to listen."""


class Beside:
    """`command` is run with a socket that it inherits; `part` says what it does, in words: "serves pages"."""

    def __init__(self, command: Sequence[str], *, sock: socket.socket, part: str) -> None:
        self._command = command
        self._sock = sock
        self._part = part
        self.pulse = asyncio.Event()
        """Set whenever the other process shows that it is alive."""

    async def run(self, stop: asyncio.Event) -> None:
        """Keep it running until `stop` is set, and wait for its end; ProcessError if it ends before."""
        process = await self._started()
        feeling = asyncio.create_task(self._feel(process))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({feeling, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set() and process.returncode is None:
                process.terminate()
            code = await process.wait()
            if not stop.is_set() or code not in _DONE:
                raise ProcessError(self._part, code=code)
        finally:
            stopping.cancel()
            if process.returncode is None:
                process.kill()
                await asyncio.shield(process.wait())
            feeling.cancel()

    async def _started(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=[self._sock.fileno()],
            env={name: value for name, value in os.environ.items() if name not in _FOR_US_ALONE},
            start_new_session=True,  # an interrupt at the terminal is for us, who then stop it
        )
        # Whoever asks while the other process ends must be refused, not left waiting here.
        self._sock.close()
        return process

    async def _feel(self, process: asyncio.subprocess.Process) -> None:
        """Return when the other process has closed its output, which is when it ends."""
        assert process.stdout is not None
        while await process.stdout.read(100):
            self.pulse.set()
