"""The public pages: join, confirm, prefer, leave, and read what was sent. No cookie, no script."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Protocol

import structlog
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from newsletter.errors import AddressError, MoveError, NotFoundError, StoreError, TokenError
from newsletter.model.clock import Clock
from newsletter.model.edition import Edition
from newsletter.model.settings import Settings
from newsletter.model.subscriber import Newcomer, Subscription, SubscriptionState
from newsletter.readers.address import checked
from newsletter.readers.tokens import Purpose, Tokens
from newsletter.store.ports import Editions, Hubs, Limits, Subscribers
from newsletter.store.seam import in_thread
from newsletter.web.archive import Archive
from newsletter.web.guard import LARGEST_BODY_BYTES, Guard
from newsletter.web.preferences import Doors, PreferencePages
from newsletter.web.syndication import Syndication
from newsletter.web.views import Views
from newsletter.web.websub import Callbacks

_HOUR = timedelta(hours=1)
_MOST_CHANGES = 60

log = structlog.get_logger()


class Site(Protocol):
    """What the pages need of the application."""

    @property
    def settings(self) -> Settings:
        """The site's settings."""

    @property
    def subscribers(self) -> Subscribers:
        """The people."""

    @property
    def editions(self) -> Editions:
        """What was sent."""

    @property
    def limits(self) -> Limits:
        """Counted windows against floods."""

    @property
    def tokens(self) -> Tokens:
        """Reads the tokens in links."""

    @property
    def clock(self) -> Clock:
        """Tells the time."""

    @property
    def hubs(self) -> Hubs:
        """What is agreed with partners' hubs."""

    @property
    def pushed(self) -> asyncio.Event:
        """To be set when a hub pushed something."""

    def web_version(self, edition: Edition) -> str:
        """An edition's HTML as it was sent, with nobody's fields in it."""

    def healthy(self) -> dict[str, object]:
        """What the operator's probe is told; raises StoreError if the store cannot be asked."""


class Public:
    """The handlers, one a path."""

    def __init__(self, site: Site, views: Views) -> None:
        self._site = site
        self._views = views
        self.preferences = PreferencePages(
            site,
            views,
            Doors(
                holder=lambda request: self._holder(request, Purpose.PREFERENCES),
                join=self._sign_up,
                leave=lambda each: self._move(each, SubscriptionState.LEFT, source="preferences"),
            ),
        )

    async def leave(self, request: Request) -> Response:
        """RFC 8058: POST leaves at once, whatever else is in it; GET shows a button and changes nothing."""
        subscription = await self._holder(request, Purpose.UNSUBSCRIBE)
        if request.method == "POST":
            await self._move(subscription, SubscriptionState.LEFT, source=await _way_out(request))
        return await self._about(request, "left" if request.method == "POST" else "leave", subscription)

    async def confirm(self, request: Request) -> Response:
        """GET shows a button, so that a scanner that follows links confirms nobody; POST confirms.

        Who has left since signs up again: an old mail, which others may have, brings nobody back.
        """
        subscription = await self._holder(request, Purpose.CONFIRM)
        if subscription.state not in {SubscriptionState.PENDING, SubscriptionState.ACTIVE}:
            raise HTTPException(410)
        if request.method != "POST":
            return await self._about(request, "confirm", subscription)
        try:
            await self._move(subscription, SubscriptionState.ACTIVE, source="confirm link")
        except MoveError:
            raise HTTPException(410) from None
        return await self._about(request, "confirmed", subscription)

    async def list_page(self, request: Request) -> Response:
        """A list with its sign-up form."""
        mailing_list = self._site.settings.mailing_list(request.path_params["list"])
        return self._views.page(request, "list", mailing_list=mailing_list, follow=mailing_list)

    async def subscribe(self, request: Request) -> Response:
        """Sign up. The answer is the same whether the address is known, unknown, suppressed or no address at all."""
        mailing_list = self._site.settings.mailing_list(request.path_params["list"])
        form = await _form(request)
        if not form.get("website") and await self._may_sign_up(request):
            await self._sign_up(str(form.get("address", "")), mailing_list.id)
        return self._views.page(request, "asked", private=True, mailing_list=mailing_list)

    async def health(self, request: Request) -> Response:  # noqa: ARG002
        """For the operator's probe."""
        return JSONResponse(await in_thread(self._site.healthy))

    async def home(self, request: Request) -> Response:  # noqa: ARG002
        """The archive is our front page."""
        return RedirectResponse(f"{self._site.settings.publication.base_url}/archive", status_code=302)

    async def _holder(self, request: Request, purpose: Purpose) -> Subscription:
        """Whose link this is. A token that is not ours is simply not there."""
        try:
            number = self._site.tokens.read(purpose, request.path_params["token"])
        except TokenError:
            raise HTTPException(404) from None
        if request.method == "POST" and purpose is not Purpose.UNSUBSCRIBE:
            await self._slow_down(f"{purpose} {number}")
        return await in_thread(self._site.subscribers.subscription, number)

    async def _slow_down(self, key: str) -> None:
        """Whoever has a link may not use it to keep the store busy. Leaving alone is never too often."""
        now = self._site.clock.now()
        if not await in_thread(self._site.limits.take, key, limit=_MOST_CHANGES, window=_HOUR, now=now):
            raise HTTPException(429, headers={"retry-after": str(int(_HOUR.total_seconds()))})

    async def _about(self, request: Request, page: str, subscription: Subscription) -> Response:
        """A page about one subscription, in its holder's language. Who was erased has none."""
        try:
            reader = (await in_thread(self._site.subscribers.subscriber, subscription.subscriber_id)).language
        except NotFoundError:
            reader = None
        title = self._title(subscription.list_id)
        return self._views.page(request, page, private=True, reader=reader, list_title=title)

    async def _move(self, subscription: Subscription, after: SubscriptionState, *, source: str) -> None:
        if after is SubscriptionState.LEFT and subscription.state in {
            SubscriptionState.SUPPRESSED,
            SubscriptionState.ERASED,
        }:
            return
        await in_thread(
            self._site.subscribers.move, subscription.id, after, source=source, text="", now=self._site.clock.now()
        )

    async def _may_sign_up(self, request: Request) -> bool:
        host = request.client.host if request.client else "unknown"
        now = self._site.clock.now()
        return await in_thread(
            self._site.limits.take, f"sign-up {host}", limit=20, window=_HOUR, now=now
        ) and await in_thread(self._site.limits.take, "sign-up all", limit=2000, window=_HOUR, now=now)

    async def _sign_up(self, given: str, list_id: str) -> None:
        try:
            address = checked(given)
        except AddressError:
            return
        mailing_list = self._site.settings.mailing_list(list_id)
        await in_thread(
            self._site.subscribers.add,
            (Newcomer(address=address, lists=(list_id,)),),
            confirmed=not mailing_list.double_opt_in,
            source="web",
            text=mailing_list.title,
            now=self._site.clock.now(),
            by_person=True,
        )

    def _title(self, list_id: str) -> str:
        """A list that left the settings still has people who may leave it."""
        return next((each.title for each in self._site.settings.lists if each.id == list_id), list_id)


async def _way_out(request: Request) -> str:
    """How somebody leaves. A body that cannot be read keeps nobody."""
    try:
        form = await _form(request)
    except HTTPException:
        return "one-click"
    return "page" if form.get("by") == "page" else "one-click"


async def _form(request: Request) -> FormData:
    """The form in either encoding."""
    return await request.form(max_files=0, max_fields=20, max_part_size=LARGEST_BODY_BYTES)


def public_app(site: Site, views: Views) -> Starlette:
    """The public pages as an ASGI application."""
    public, archive = Public(site, views), Archive(site, views)
    callbacks = Callbacks(site)

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
            Route("/u/{token}", public.leave, methods=both),
            Route("/c/{token}", public.confirm, methods=both),
            Route("/p/{token}", public.preferences.prefer, methods=both),
            Route("/p/{token}/data", public.preferences.data),
            Route("/p/{token}/erase", public.preferences.erase, methods=both),
            Route("/lists/{list}", public.list_page),
            Route("/lists/{list}/subscribe", public.subscribe, methods=["POST"]),
            Route("/archive", archive.lists),
            Route("/archive/{list}", archive.editions),
            Route("/archive/{list}/{number:int}", archive.edition),
            Route("/feeds/{list}.{form}", Syndication(site).feed),
            Route("/websub/{token}", callbacks.verify),
            Route("/websub/{token}", callbacks.receive, methods=["POST"]),
            Route("/healthz", public.health),
            Route("/", public.home),
        ],
        middleware=[Middleware(Guard, hosts=hosts, refuse=sorry, pushed_bytes=site.settings.collect.max_body_bytes)],
        exception_handlers={HTTPException: refused, NotFoundError: refused, StoreError: failed, Exception: failed},
    )
    # Its redirects fail on addresses that are not UTF-8, and no link of ours needs them.
    app.router.redirect_slashes = False
    return app
