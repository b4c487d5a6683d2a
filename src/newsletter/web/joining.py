"""The pages by which people join a list: the form, its answer, and the link that confirms."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import AddressError, MoveError, NotFoundError
from newsletter.model.publication import MailingList
from newsletter.model.subscriber import Newcomer, SubscriptionState
from newsletter.readers.address import checked
from newsletter.readers.signup import QUICKEST
from newsletter.readers.tokens import Purpose
from newsletter.store.seam import in_thread
from newsletter.web.links import Links, form_of

_OF_ONE_NETWORK = 20
_OF_ALL = 2000
_UNSEEN = 20
"""Sign-ups an hour by forms that nobody can have read: some people are quick, and some editors have their own form."""
_EVEN_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A form that came back: `shown` is what it told, empty if it was none of ours."""

    address: str
    shown: str
    seen: bool
    """Whether somebody can have read it."""


class Joining:
    """The handlers."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._site = links.site

    async def list_page(self, request: Request) -> Response:
        """A list with its sign-up form."""
        mailing_list = self._site.settings.mailing_list(request.path_params["list"])
        return self._form(request, mailing_list)

    async def subscribe(self, request: Request) -> Response:
        """Sign up. The answer is the same whether the address is known, unknown, suppressed or no address at all.

        So is the time it takes, as far as anybody can tell from outside: answers leave at whole tenths of a second.
        """
        begun = asyncio.get_running_loop().time()
        mailing_list = self._site.settings.mailing_list(request.path_params["list"])
        form = await form_of(request)
        asked = self._asked(
            request, mailing_list, stamp=str(form.get("shown", "")), address=str(form.get("address", ""))
        )
        if not form.get("website"):
            if not asked.seen and not await self._links.take("sign-up unseen", limit=_UNSEEN):
                return self._form(request, mailing_list, again=asked.address)
            if await self._may_sign_up(request):
                source = "web" if asked.shown else "web, by a form that was not ours"
                await self.join(asked.address, mailing_list, source=source, text=asked.shown)
        answer = self._links.views.page(request, "asked", private=True, mailing_list=mailing_list)
        await asyncio.sleep(-(asyncio.get_running_loop().time() - begun) % _EVEN_SECONDS)
        return answer

    async def confirm(self, request: Request) -> Response:
        """GET shows a button, so that a scanner that follows links confirms nobody; POST confirms.

        Who has left since signs up again: an old mail, which others may have, brings nobody back.
        """
        try:
            subscription = await self._links.holder(request, Purpose.CONFIRM)
        except NotFoundError:
            raise HTTPException(410) from None  # did not confirm in time, and was forgotten
        if subscription.state not in {SubscriptionState.PENDING, SubscriptionState.ACTIVE}:
            raise HTTPException(410)
        if request.method != "POST":
            return await self._links.about(request, "confirm", subscription)
        shown = await self._links.wording(request, "confirm", subscription)
        try:
            await self._links.move(request, subscription, SubscriptionState.ACTIVE, source="confirm link", text=shown)
        except (MoveError, NotFoundError):
            raise HTTPException(410) from None
        return await self._links.about(request, "confirmed", subscription)

    def _form(self, request: Request, mailing_list: MailingList, *, again: str | None = None) -> Response:
        """The list's page; `again` is the address that somebody should send once more, on a fresh form."""
        shown = self._shown(request, mailing_list)
        stamp = self._site.sign_ups.stamp(f"{mailing_list.id} {shown}", now=self._site.clock.now())
        page = self._links.views.page(
            request, "list", mailing_list=mailing_list, follow=mailing_list, stamp=stamp, again=again
        )
        page.headers["cache-control"] = "no-store"  # a form from a cache would have somebody else's time
        return page

    def _shown(self, request: Request, mailing_list: MailingList) -> str:
        return self._links.views.wording(request, "list", mailing_list=mailing_list, stamp="", again=None)

    def _asked(self, request: Request, mailing_list: MailingList, *, stamp: str, address: str) -> _Asked:
        shown = self._shown(request, mailing_list)
        age = self._site.sign_ups.age(stamp, f"{mailing_list.id} {shown}", now=self._site.clock.now())
        return _Asked(address=address, shown=shown if age is not None else "", seen=age is not None and age >= QUICKEST)

    async def _may_sign_up(self, request: Request) -> bool:
        host = request.client.host if request.client else "unknown"
        network = self._site.sign_ups.network(host)
        return await self._links.take(f"sign-up {network}", limit=_OF_ONE_NETWORK) and await self._links.take(
            "sign-up all", limit=_OF_ALL
        )

    async def join(
        self, given: str, mailing_list: MailingList, *, text: str, source: str = "preferences", token: str = ""
    ) -> None:
        """Put somebody on a list, or ask them whether it is them; nothing for what is no address."""
        try:
            address = checked(given)
        except AddressError:
            return
        await in_thread(
            self._site.subscribers.add,
            (Newcomer(address=address, lists=(mailing_list.id,)),),
            confirmed=not mailing_list.double_opt_in,
            source=source,
            text=text,
            token=token,
            now=self._site.clock.now(),
            by_person=True,
        )
