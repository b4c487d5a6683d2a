"""Who holds a link of ours, what they do with it, and the pages about it. What handlers of several pages share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import NotFoundError, TokenError
from newsletter.model.clock import Clock
from newsletter.model.settings import Settings
from newsletter.model.subscriber import Subscription, SubscriptionState
from newsletter.readers.signup import SignUps
from newsletter.readers.tokens import Purpose, Tokens, token_id
from newsletter.store.ports import AddressChanges, Departures, Limits, Subscribers
from newsletter.store.seam import in_thread
from newsletter.web.guard import LARGEST_BODY_BYTES
from newsletter.web.views import Views

HOUR = timedelta(hours=1)
_MOST_CHANGES = 60
_GONE = frozenset({SubscriptionState.SUPPRESSED, SubscriptionState.ERASED})


class Readers(Protocol):
    """What pages about people need of the application."""

    @property
    def settings(self) -> Settings:
        """The site's settings."""

    @property
    def subscribers(self) -> Subscribers:
        """The people."""

    @property
    def address_changes(self) -> AddressChanges:
        """Who wants another address."""

    @property
    def departures(self) -> Departures:
        """Why people left."""

    @property
    def limits(self) -> Limits:
        """Counted windows against floods."""

    @property
    def tokens(self) -> Tokens:
        """Reads the tokens in links."""

    @property
    def sign_ups(self) -> SignUps:
        """Stamps sign-up forms."""

    @property
    def clock(self) -> Clock:
        """Tells the time."""


class Links:
    """Links of one site."""

    def __init__(self, site: Readers, views: Views) -> None:
        self.site = site
        self.views = views

    async def holder(self, request: Request, purpose: Purpose) -> Subscription:
        """Whose link this is. A token that is not ours is simply not there."""
        number = await self.number(request, purpose)
        return await in_thread(self.site.subscribers.subscription, number)

    async def number(self, request: Request, purpose: Purpose) -> int:
        """What the token in the address was made for."""
        try:
            number = self.site.tokens.read(purpose, request.path_params["token"])
        except TokenError:
            raise HTTPException(404) from None
        if request.method == "POST" and purpose is not Purpose.UNSUBSCRIBE:
            await self._slow_down(f"{purpose} {number}")
        return number

    async def take(self, key: str, *, limit: int, window: timedelta = HOUR) -> bool:
        """Whether something may be done once more in this window."""
        return await in_thread(self.site.limits.take, key, limit=limit, window=window, now=self.site.clock.now())

    async def move(
        self, request: Request, subscription: Subscription, after: SubscriptionState, *, source: str, text: str = ""
    ) -> None:
        """Move a subscription by the link in the request; who is suppressed or erased does not leave as well."""
        await in_thread(self._move, request, subscription, after, source=source, text=text)

    async def leave(self, request: Request, *, source: str) -> None:
        """The same for whoever holds a link to leave by, in one step: mailbox providers press many at once."""
        number = await self.number(request, Purpose.UNSUBSCRIBE)

        def left() -> None:
            holder = self.site.subscribers.subscription(number)
            self._move(request, holder, SubscriptionState.LEFT, source=source)

        await in_thread(left)

    def _move(
        self, request: Request, subscription: Subscription, after: SubscriptionState, *, source: str, text: str = ""
    ) -> None:
        if after is SubscriptionState.LEFT and subscription.state in _GONE:
            return
        self.site.subscribers.move(
            subscription.id,
            after,
            source=source,
            text=text,
            token=token_id(request.path_params["token"]),
            now=self.site.clock.now(),
        )

    async def about(self, request: Request, page: str, subscription: Subscription, **context: Any) -> Response:
        """A page about one subscription, in its holder's language."""
        reader = await self.language(subscription)
        shown = {"list_title": self.title(subscription.list_id)} | context
        return self.views.page(request, page, private=True, reader=reader, **shown)

    async def wording(self, request: Request, page: str, subscription: Subscription) -> str:
        """What that page tells them before they press its button."""
        title = self.title(subscription.list_id)
        return self.views.wording(request, page, reader=await self.language(subscription), list_title=title)

    async def language(self, subscription: Subscription) -> str | None:
        """What its holder reads. Who was erased has no language."""
        try:
            return (await in_thread(self.site.subscribers.subscriber, subscription.subscriber_id)).language
        except NotFoundError:
            return None

    def title(self, list_id: str) -> str:
        """A list that left the settings still has people who may leave it."""
        return next((each.title for each in self.site.settings.lists if each.id == list_id), list_id)

    async def _slow_down(self, key: str) -> None:
        """Whoever has a link may not use it to keep the store busy. Leaving alone is never too often."""
        if not await self.take(key, limit=_MOST_CHANGES):
            raise HTTPException(429, headers={"retry-after": str(int(HOUR.total_seconds()))})


async def form_of(request: Request, *, most_fields: int = 20) -> FormData:
    """The form in either encoding."""
    return await request.form(max_files=0, max_fields=most_fields, max_part_size=LARGEST_BODY_BYTES)
