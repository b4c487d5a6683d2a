"""The public pages: join, confirm, prefer, leave, and read what was sent. No cookie, no script."""

from __future__ import annotations

from functools import partial
from typing import Protocol

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from newsletter.errors import NotFoundError, StoreError
from newsletter.feedback.marks import Marks
from newsletter.model.edition import Edition
from newsletter.model.subscriber import SubscriptionState
from newsletter.readers.tokens import Purpose
from newsletter.store.ports import Editions, Hubs, Visits
from newsletter.store.seam import in_thread
from newsletter.web.archive import Archive
from newsletter.web.guard import Guard
from newsletter.web.joining import Joining
from newsletter.web.leaving import Leaving
from newsletter.web.links import Links, Readers
from newsletter.web.moving import Moving
from newsletter.web.preferences import Doors, PreferencePages
from newsletter.web.syndication import Syndication
from newsletter.web.views import Views
from newsletter.web.visits import Counting
from newsletter.web.websub import Callbacks

log = structlog.get_logger()


class Site(Readers, Protocol):
    """What the pages need of the application."""

    @property
    def editions(self) -> Editions:
        """What was sent."""

    @property
    def visits(self) -> Visits:
        """What was counted where a digest counts."""

    @property
    def marks(self) -> Marks:
        """Reads the marks in counted links."""

    @property
    def hubs(self) -> Hubs:
        """What is agreed with partners' hubs."""

    def web_version(self, edition: Edition) -> str:
        """An edition's HTML as it was sent, with nobody's fields in it."""

    def healthy(self) -> dict[str, object]:
        """What the operator's probe is told; raises StoreError if the store cannot be asked."""


class Public:
    """The handlers, one a path."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def health(self, request: Request) -> Response:  # noqa: ARG002
        """For the operator's probe."""
        return JSONResponse(await in_thread(self._site.healthy))

    async def home(self, request: Request) -> Response:  # noqa: ARG002
        """The archive is our front page."""
        return RedirectResponse(f"{self._site.settings.publication.base_url}/archive", status_code=302)


def public_app(site: Site, views: Views) -> Starlette:
    """The public pages as an ASGI application."""
    links = Links(site, views)
    public, archive, joining, leaving = Public(site), Archive(site, views), Joining(links), Leaving(links)
    moving = Moving(links)
    preferences = PreferencePages(
        site,
        views,
        Doors(
            holder=partial(links.holder, purpose=Purpose.PREFERENCES),
            join=joining.join,
            leave=partial(links.move, after=SubscriptionState.LEFT, source="preferences"),
        ),
    )
    callbacks, counting = Callbacks(site), Counting(site)

    def sorry(request: Request, error: HTTPException) -> Response:
        page = views.page(request, "sorry", status=error.status_code, private=True)
        page.headers.update(error.headers or {})
        return page

    async def refused(request: Request, error: Exception) -> Response:
        return sorry(request, error if isinstance(error, HTTPException) else HTTPException(404))

    async def failed(request: Request, error: Exception) -> Response:
        log.error("page not served", because=str(error) if isinstance(error, StoreError) else type(error).__name__)
        return sorry(request, HTTPException(503))

    hosts = (site.settings.hostname, *site.settings.web.allowed_hosts)
    both = ["GET", "POST"]
    app = Starlette(
        routes=[
            Route("/u/{token}", leaving.leave, methods=both),
            Route("/a/{token}", moving.confirm, methods=both),
            Route("/p/{token}/address", moving.ask, methods=["POST"]),
            Route("/c/{token}", joining.confirm, methods=both),
            Route("/p/{token}", preferences.prefer, methods=both),
            Route("/p/{token}/data", preferences.data),
            Route("/p/{token}/erase", preferences.erase, methods=both),
            Route("/lists/{list}", joining.list_page),
            Route("/lists/{list}/subscribe", joining.subscribe, methods=["POST"]),
            Route("/archive", archive.lists),
            Route("/archive/{list}", archive.editions),
            Route("/archive/{list}/{number:int}", archive.edition),
            Route("/feeds/{list}.{form}", Syndication(site).feed),
            Route("/websub/{token}", callbacks.verify),
            Route("/websub/{token}", callbacks.receive, methods=["POST"]),
            Route("/l/{edition}/{mark}", counting.follow),
            Route("/o/{edition}/{mark}", counting.opened),
            Route("/healthz", public.health),
            Route("/", public.home),
        ],
        middleware=[Middleware(Guard, hosts=hosts, refuse=sorry, pushed_bytes=site.settings.collect.max_body_bytes)],
        exception_handlers={HTTPException: refused, NotFoundError: refused, StoreError: failed, Exception: failed},
    )
    # Its redirects fail on addresses that are not UTF-8, and no link of ours needs them.
    app.router.redirect_slashes = False
    return app
