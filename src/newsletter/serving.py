"""Web servers inside our own loop: uvicorn on a socket we hold, stopped by our own event."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    """Leaves signals alone: the clock has them, and tells us by an event."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: ASGIApp, sock: socket.socket, *, stop: asyncio.Event, grace_seconds: int = 5) -> None:
    """Serve until `stop` is set; requests in flight get `grace_seconds` to end."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # its lines would carry tokens
        server_header=False,
        timeout_graceful_shutdown=grace_seconds,
        lifespan="off",
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving
