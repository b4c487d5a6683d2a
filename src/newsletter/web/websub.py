"""Where hubs reach us (W3C WebSub): they ask whether a subscription is meant, and push what is new."""

from __future__ import annotations

import random
from typing import Protocol

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from newsletter.collect.hubs import confirmed, is_signed
from newsletter.model.clock import Clock
from newsletter.model.hub import HubState, HubSubscription, Push
from newsletter.model.settings import Secret, Settings
from newsletter.store.ports import Hubs
from newsletter.store.seam import in_thread

_LONGEST_TYPE = 200
_PLAIN = {"x-content-type-options": "nosniff", "cache-control": "no-store"}

log = structlog.get_logger()


class Site(Protocol):
    """What hubs need of the application."""

    @property
    def settings(self) -> Settings:
        """The site's settings."""

    @property
    def hubs(self) -> Hubs:
        """What is agreed with hubs, and what they pushed."""

    @property
    def clock(self) -> Clock:
        """Tells the time."""


class Callbacks:
    """The handlers of one address, which ends in a token that only one hub knows."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def verify(self, request: Request) -> Response:
        """A hub asks whether we mean what we asked it (sections 5.2, 5.3): the challenge, or 404."""
        one = await self._found(request)
        found = confirmed(one, request.query_params, now=self._site.clock.now(), jitter=random.random())  # noqa: S311
        if found is None:
            raise HTTPException(404)
        if found.after is None:
            done = await in_thread(self._site.hubs.forget, one)
        else:
            done = found.after == one or await in_thread(self._site.hubs.exchange, one, found.after)
        if not done:
            # Somebody changed it while we looked: the hub asks again.
            raise HTTPException(503)
        log.info("hub heard", feed=one.feed_id, before=one.state, after=found.after.state if found.after else "left")
        return PlainTextResponse(found.challenge, headers=_PLAIN)

    async def receive(self, request: Request) -> Response:
        """A hub pushes (section 7). What is not signed with our secret is answered like any other, and ignored."""
        one = await self._found(request, gone=410)
        if one.leased_until is None or one.state not in {HubState.ASKED, HubState.ACTIVE}:
            raise HTTPException(410)
        try:
            content = await request.body()
        except ClientDisconnect:
            raise HTTPException(400) from None
        if not is_signed(content, request.headers.get("x-hub-signature", ""), one.secret):
            log.warning("push ignored", feed=one.feed_id, because="not signed with our secret", bytes=len(content))
            return Response(status_code=202)
        kind = request.headers.get("content-type", "")[:_LONGEST_TYPE]
        push = Push(token=one.token, content=content, content_type=kind, received_at=self._site.clock.now())
        if not await in_thread(self._site.hubs.keep, push):
            raise HTTPException(503)
        return Response(status_code=202)

    async def _found(self, request: Request, *, gone: int = 404) -> HubSubscription:
        one = await in_thread(self._site.hubs.at, Secret(request.path_params["token"]))
        if one is None:
            raise HTTPException(gone)
        return one
