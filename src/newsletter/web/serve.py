"""Serving a site's public pages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from newsletter.serving import listening_at, serve
from newsletter.web.public import Site, public_app
from newsletter.web.views import Views


@contextmanager
def pages(site: Site) -> Iterator[Callable[[asyncio.Event], Awaitable[None]]]:
    """A function that serves the pages until the event it is handed. The port is taken at once, or SiteError."""
    host, port = site.settings.web.host, site.settings.web.port
    with listening_at(host, port, setting="[web] listen") as sock:
        app = public_app(site, Views(site.settings.publication))

        def run(stop: asyncio.Event) -> Awaitable[None]:
            return serve(app, sock, stop=stop)

        yield run
