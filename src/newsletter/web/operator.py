"""What the operator's monitor asks, on a listener of its own: nothing of it is for readers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from newsletter.errors import StoreError
from newsletter.listening import listening_at
from newsletter.serving import serve
from newsletter.store.seam import in_thread
from newsletter.web import metrics

log = structlog.get_logger()

_FORMAT = "text/plain; version=0.0.4; charset=utf-8"


class Site(metrics.Site, Protocol):
    """What the operator's pages need of the application."""

    def healthy(self) -> dict[str, object]:
        """What the operator's probe is told; raises StoreError if the store cannot be asked."""

    def alarms(self) -> tuple[str, ...]:
        """What is paused at present, each in words."""


@contextmanager
def operator_pages(site: Site) -> Iterator[Callable[[asyncio.Event], Awaitable[None]] | None]:
    """A function that serves them until the event it is handed; None where no setting asks for it.

    The port is taken at once, or SiteError.
    """
    listen = site.settings.metrics
    if listen is None:
        yield None
        return
    with listening_at(listen.host, listen.port, setting="[metrics] listen") as sock:
        app = operator_app(site)

        def run(stop: asyncio.Event) -> Awaitable[None]:
            return serve(app, sock, stop=stop)

        yield run


def operator_app(site: Site) -> Starlette:
    """The operator's pages as an ASGI application."""
    page = metrics.metrics_page(site)

    async def shown(_: Request) -> Response:
        return Response(await in_thread(page), headers={"Content-Type": _FORMAT})

    async def health(_: Request) -> Response:
        return JSONResponse(await in_thread(site.healthy) | {"alarms": await in_thread(site.alarms)})

    async def failed(_: Request, error: Exception) -> Response:
        log.error("metrics not served", because=str(error))
        return PlainTextResponse("the store cannot be asked\n", status_code=503)

    return Starlette(
        routes=[Route("/metrics", shown), Route("/healthz", health)], exception_handlers={StoreError: failed}
    )
