"""The web server: uvicorn inside our own loop, stopped by our own event."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    """Leaves signals alone: the clock has them, and tells us by an event."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: ASGIApp, *, host: str, port: int, stop: asyncio.Event) -> None:
    """Serve until `stop` is set; requests in flight get a few seconds to end."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,  # its lines would carry tokens
        server_header=False,
        timeout_graceful_shutdown=5,
        lifespan="off",
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving
