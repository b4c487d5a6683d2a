"""What we published as Atom, RSS and JSON Feed: made once, asked for often."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import NotFoundError
from newsletter.model.edition import Edition
from newsletter.model.links import safe_url
from newsletter.model.publication import Publication
from newsletter.model.settings import Settings
from newsletter.publish.channel import feed_url
from newsletter.publish.paging import Page, newest_page, past_page
from newsletter.publish.publish import CONTENT_TYPES, Form, feed_of
from newsletter.store.ports import Editions
from newsletter.store.seam import in_thread
from newsletter.web.documents import Document

_KEPT = 32
_LONGEST_NUMBER = 6
_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class Site(Protocol):
    """What the feeds need of the application."""

    @property
    def settings(self) -> Settings:
        """The site's settings."""

    @property
    def editions(self) -> Editions:
        """What was sent."""


class Syndication:
    """The handler of `/feeds/LIST.FORM`. Documents are kept as long as the editions in them are the same."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._document = lru_cache(maxsize=_KEPT)(self._make)

    async def feed(self, request: Request) -> Response:
        """The newest editions, or with `?page=` an older document."""
        list_id, form = request.path_params["list"], request.path_params["form"]
        if form not in set(Form):
            raise HTTPException(404)
        mailing_list = self._site.settings.mailing_list(list_id)
        newest = await in_thread(self._site.editions.newest_published, mailing_list.id)
        page = _page(request.query_params.get("page"), newest)
        editions = await in_thread(self._site.editions.published, mailing_list.id, first=page.first, last=page.last)
        document = await in_thread(self._document, mailing_list.id, Form(form), page, editions)
        return document.answer(request.headers)

    def _make(self, list_id: str, form: Form, page: Page, editions: tuple[Edition, ...]) -> Document:
        mailing_list = self._site.settings.mailing_list(list_id)
        plain = feed_of(
            ((each, self._site.editions.pieces(each.id)) for each in editions),
            publication=self._site.settings.publication.on(mailing_list),
            mailing_list=mailing_list,
            page=page,
            form=form,
        )
        return Document.of(
            plain,
            headers=_HEADERS
            | {"content-type": f"{CONTENT_TYPES[form]}; charset=utf-8"}
            | _discovery(self._site.settings.publication, list_id, form=form, page=page),
            changed_at=max((each.state_at for each in editions if each.state_at), default=None),
        )


def _discovery(publication: Publication, list_id: str, *, form: Form, page: Page) -> dict[str, str]:
    """Where a follower subscribes, and to what (WebSub section 4); documents of the past never change."""
    if publication.hub is None or page.number is not None:
        return {}
    topic = feed_url(publication, list_id, form)
    return {"link": f'<{safe_url(publication.hub)}>; rel="hub", <{safe_url(topic)}>; rel="self"'}


def _page(wanted: str | None, newest: int) -> Page:
    if wanted is None:
        return newest_page(newest)
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) <= _LONGEST_NUMBER else 0
    page = past_page(number, newest=newest)
    if page is None:
        raise NotFoundError("page", str(number))
    return page
