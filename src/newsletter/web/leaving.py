"""The page by which people leave: one list or all, at once; and why, for who wants to say."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from newsletter.errors import NotFoundError
from newsletter.model.subscriber import Departure, Subscription, SubscriptionState
from newsletter.model.text import one_line
from newsletter.readers.tokens import Purpose
from newsletter.store.seam import in_thread
from newsletter.web.links import HOUR, Links, form_of

_LONGEST_WORDS = 500
_NO_FORM = FormData()
_TO_A_PROGRAM = "Unsubscribed.\n"
"""A mailbox provider presses the button for its user and shows nobody what we answer."""


class Leaving:
    """The handlers."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._site = links.site

    async def leave(self, request: Request) -> Response:
        """RFC 8058: POST leaves at once, whatever else is in it; GET shows a button and changes nothing.

        After leaving by the page, the same link takes a reason, and leaves the other lists too.
        """
        form = await _readable(request) if request.method == "POST" else _NO_FORM
        if request.method == "POST" and form.get("by") != "page":
            await self._links.leave(request, source="one-click")
            return PlainTextResponse(_TO_A_PROGRAM)
        subscription = await self._links.holder(request, Purpose.UNSUBSCRIBE)
        if request.method != "POST":
            return await self._links.about(request, "leave", subscription)
        shown = await self._links.wording(request, "leave", subscription)
        await self._links.move(request, subscription, SubscriptionState.LEFT, source="page", text=shown)
        others = await self._others(subscription)
        if form.get("all"):
            for each in others:
                await self._links.move(request, each, SubscriptionState.LEFT, source="page, everything")
            others = ()
        told = await self._why(form, subscription)
        titles = [self._links.title(each.list_id) for each in others]
        context = {"others": titles, "told": told, "reasons": tuple(Departure)}
        return await self._links.about(request, "left", subscription, **context)

    async def _others(self, subscription: Subscription) -> tuple[Subscription, ...]:
        """The other lists that its holder is on, or waits to be."""
        try:
            subscriber = await in_thread(self._site.subscribers.subscriber, subscription.subscriber_id)
            person = await in_thread(self._site.subscribers.person, subscriber.address)
        except NotFoundError:
            return ()
        on = {SubscriptionState.PENDING, SubscriptionState.ACTIVE}
        return tuple(each for each in person.subscriptions if each.state in on and each.id != subscription.id)

    async def _why(self, form: FormData, subscription: Subscription) -> bool:
        """Whether a reason was given. It is counted once a day for each link, and kept without whose it is."""
        given = str(form.get("why", ""))
        if given not in set(Departure):
            return False
        if await self._links.take(f"why {subscription.id}", limit=1, window=24 * HOUR):
            words = one_line(str(form.get("words", "")), limit=_LONGEST_WORDS)
            now = self._site.clock.now()
            await in_thread(self._site.departures.note, subscription.list_id, Departure(given), words=words, now=now)
        return True


async def _readable(request: Request) -> FormData:
    """The form, or an empty one: a body that cannot be read keeps nobody."""
    try:
        return await form_of(request)
    except HTTPException:
        return _NO_FORM
