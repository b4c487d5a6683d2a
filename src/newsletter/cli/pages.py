"""The process in which `newsletter run` has its pages: `python -m newsletter.cli.pages FOLDER SOCKET [SECONDS]`.

It inherits the listening socket by its number, and shows every so many seconds that it is alive (see `beside`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

import uvloop

from newsletter import scheduler
from newsletter.cli.output import guarded, opened
from newsletter.stopping import unless
from newsletter.web.serve import pages_at

_STANDARD_OUTPUT = 1


def serve(folder: Path, inherited: int, beat: timedelta | None) -> None:
    """Serve the pages until told to stop, or until nobody is left to tell."""
    with socket.socket(fileno=inherited) as sock, opened(folder) as app:
        besides = partial(_beat, beat), _watch_parent
        uvloop.run(scheduler.run(app, scheduler.Role.WEB, serve=(pages_at(app, sock), *besides)))


async def _beat(every: timedelta | None, stop: asyncio.Event) -> None:
    while every is not None and not stop.is_set():
        os.write(_STANDARD_OUTPUT, b".")
        await scheduler.first_of(stop, within=every)


async def _watch_parent(stop: asyncio.Event) -> None:
    """Stop when standard input ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await unless(stop, reader.read())
    if not stop.is_set():
        os.kill(os.getpid(), signal.SIGTERM)
    pipe.close()


def main(folder: str, inherited: str, beat_seconds: str = "") -> int:
    """The exit code."""
    beat = timedelta(seconds=float(beat_seconds)) if beat_seconds else None
    return guarded(lambda: serve(Path(folder), int(inherited), beat), as_json=False)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
