"""Serving a site's public pages."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from newsletter.listening import listening_at
from newsletter.serving import serve
from newsletter.web.public import Site, public_app
from newsletter.web.views import Views

_TURN_SECONDS: Final = 0.0005


@contextmanager
def pages(site: Site) -> Iterator[Callable[[asyncio.Event], Awaitable[None]]]:
    """A function that serves the pages until the event it is handed. The port is taken at once, or SiteError."""
    host, port = site.settings.web.host, site.settings.web.port
    with listening_at(host, port, setting="[web] listen") as sock:
        yield pages_at(site, sock)


def pages_at(site: Site, sock: socket.socket) -> Callable[[asyncio.Event], Awaitable[None]]:
    """The same at a socket that is there already."""
    app = public_app(site, Views(site.settings.publication))

    async def run(stop: asyncio.Event) -> None:
        with _tuned():
            await serve(app, sock, stop=stop)

    return run


@contextmanager
def _tuned() -> Iterator[None]:
    """Set the interpreter up for answering soon, for as long as there is somebody to answer.

    What is loaded by now stays: looking through all of it for garbage makes everybody wait for a tenth of a second. And
    threads take turns often: none of a request's few steps should wait 5 ms for each of another's.
    """
    turn = sys.getswitchinterval()
    sys.setswitchinterval(min(turn, _TURN_SECONDS))
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(turn)
