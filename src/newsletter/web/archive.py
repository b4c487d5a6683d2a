"""What was sent, for everybody to read: lists, their editions, and each edition as it was."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import NotFoundError
from newsletter.model.edition import Edition, EditionState
from newsletter.model.settings import Settings
from newsletter.publish.indexing import indexing_of
from newsletter.store.ports import Editions
from newsletter.store.seam import in_thread
from newsletter.web.documents import Document
from newsletter.web.views import AS_SENT, Views

_HIGHEST_NUMBER = 2**31 - 1
_ON_A_PAGE = 50
_KEPT = 32
_PUBLISHED = frozenset({EditionState.APPROVED, EditionState.PAUSED, EditionState.FINISHED})


class Site(Protocol):
    """What the archive needs of the application."""

    @property
    def settings(self) -> Settings:
        """The site's settings."""

    @property
    def editions(self) -> Editions:
        """What was sent."""

    def web_version(self, edition: Edition) -> str:
        """An edition's HTML as it was sent, with nobody's fields in it."""


class Archive:
    """The handlers of `/archive`. An edition's page is kept as long as the edition is what it was."""

    def __init__(self, site: Site, views: Views) -> None:
        self._site = site
        self._views = views
        self._document = lru_cache(maxsize=_KEPT)(self._make)

    async def lists(self, request: Request) -> Response:
        """All lists."""
        return self._views.page(request, "archive", lists=self._site.settings.lists)

    async def editions(self, request: Request) -> Response:
        """A list's editions, latest first; with `?before=` those with a lower number."""
        mailing_list = self._site.settings.mailing_list(request.path_params["list"])
        last = await in_thread(self._site.editions.newest_published, mailing_list.id)
        if (before := _number(request.query_params.get("before", ""))) is not None:
            last = min(last, before - 1)
        first = last - _ON_A_PAGE + 1
        editions = await in_thread(self._site.editions.published, mailing_list.id, first=first, last=last)
        older = first if first > 1 else None
        return self._views.page(request, "editions", editions=editions, follow=mailing_list, older=older)

    async def edition(self, request: Request) -> Response:
        """An edition as it was sent, without anybody's tokens."""
        list_id, number = request.path_params["list"], request.path_params["number"]
        if number > _HIGHEST_NUMBER:
            raise NotFoundError("edition", f"{list_id} {number}")
        found = await in_thread(self._site.editions.by_number, list_id, number)
        if found.state not in _PUBLISHED:
            raise NotFoundError("edition", found.id)
        document = await in_thread(self._document, found)
        return document.answer(request.headers)

    def _make(self, edition: Edition) -> Document:
        indexing = indexing_of(self._site.editions.pieces(edition.id))
        headers = AS_SENT | {"link": f'<{indexing.canonical_url}>; rel="canonical"'}
        if not indexing.indexed:
            headers["x-robots-tag"] = "noindex"
        page = self._site.web_version(edition).encode()
        return Document.of(page, headers=headers, changed_at=edition.state_at)


def _number(text: str) -> int | None:
    return min(int(text), _HIGHEST_NUMBER) if text.isascii() and text.isdigit() and len(text) < len("9" * 20) else None
