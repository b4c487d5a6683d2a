"""The pages by which people get their mail elsewhere: asked for with a link of theirs, confirmed by both addresses."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import AddressError, NotFoundError, TokenError
from newsletter.model.message import LetterKind
from newsletter.model.subscriber import AddressMove, Subscriber
from newsletter.readers.address import checked
from newsletter.readers.tokens import Purpose, token_id
from newsletter.store.seam import in_thread
from newsletter.web.links import HOUR, Links, form_of

_OF_ONE_PERSON = 3
_SIDES = {Purpose.MOVE_FROM: LetterKind.MOVE_FROM, Purpose.MOVE_TO: LetterKind.MOVE_TO}


class Moving:
    """The handlers."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._site = links.site

    async def ask(self, request: Request) -> Response:
        """Write to both addresses. The answer is the same whatever is known of the new one, or if it is none."""
        holder = await self._links.holder(request, Purpose.PREFERENCES)
        if await self._links.take(f"move {holder.subscriber_id}", limit=_OF_ONE_PERSON, window=24 * HOUR):
            await self._ask(holder.id, str((await form_of(request)).get("address", "")))
        return await self._links.about(request, "moving", holder)

    async def confirm(self, request: Request) -> Response:
        """GET shows a button, POST confirms: here the one address, and once both have, it is done."""
        purpose, change_id = self._read(request.path_params["token"])
        now = self._site.clock.now()
        subscriber = await self._whose(change_id)
        page, reader = ("move", subscriber.language)
        outcome = None
        if request.method == "POST":
            outcome = await in_thread(
                self._site.address_changes.confirm,
                change_id,
                _SIDES[purpose],
                text=self._links.views.wording(request, page, reader=reader),
                token=token_id(request.path_params["token"]),
                now=now,
            )
            if outcome is AddressMove.OVER:
                raise HTTPException(410)
        return self._links.views.page(request, page, private=True, reader=reader, outcome=outcome)

    def _read(self, token: str) -> tuple[Purpose, int]:
        for purpose in _SIDES:
            try:
                return purpose, self._site.tokens.read(purpose, token)
            except TokenError:
                continue
        raise HTTPException(404)

    async def _whose(self, change_id: int) -> Subscriber:
        found = await in_thread(self._site.address_changes.pending, change_id, now=self._site.clock.now())
        if found is None:
            raise HTTPException(410)
        try:
            return await in_thread(self._site.subscribers.subscriber, found)
        except NotFoundError:
            raise HTTPException(410) from None

    async def _ask(self, subscription_id: int, given: str) -> None:
        try:
            address = checked(given)
        except AddressError:
            return
        # Nobody's mailbox is to be filled by wishes of others: one an hour, whoever has them.
        if await self._links.take(f"move to {self._site.sign_ups.name(address)}", limit=1):
            await in_thread(self._site.address_changes.ask, subscription_id, address, now=self._site.clock.now())
