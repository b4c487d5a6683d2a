"""Counted links: where an edition's digest counts, a reader's way to an article leads past here. Nobody is known."""

from __future__ import annotations

from base64 import b64decode
from functools import lru_cache
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.feedback.agents import agent_of
from newsletter.feedback.bursts import Bursts
from newsletter.feedback.marks import Marks
from newsletter.model.clock import Clock
from newsletter.model.links import safe_url
from newsletter.model.settings import Settings
from newsletter.model.visit import Agent
from newsletter.render.counted import links_of
from newsletter.store.ports import Editions, Visits
from newsletter.store.seam import in_thread

_KEPT = 32
_PICTURE = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A GIF of one pixel that shows nothing."""
_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


class Site(Protocol):
    """What counting needs of the application."""

    @property
    def settings(self) -> Settings:
        """The site's settings."""

    @property
    def editions(self) -> Editions:
        """What was sent."""

    @property
    def visits(self) -> Visits:
        """What was counted."""

    @property
    def marks(self) -> Marks:
        """Reads the marks in counted links."""

    @property
    def clock(self) -> Clock:
        """Tells the time."""


class Counting:
    """The handlers of `/l/EDITION/MARK`, a link, and `/o/EDITION/MARK`, the picture that tells of opening."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._links = lru_cache(maxsize=_KEPT)(self._links_of)
        self._bursts = Bursts()

    async def follow(self, request: Request) -> Response:
        """On to the article: to one that the edition was frozen with, and nowhere else."""
        edition_id, mark = request.path_params["edition"], request.path_params["mark"]
        links = await in_thread(self._links, edition_id)
        url = self._site.marks.url(edition_id, mark, links)
        if url is None:
            raise HTTPException(404)
        agent = agent_of(request.headers, method=request.method)
        if agent is Agent.PERSON and not self._like_a_person(request, edition_id):
            agent = Agent.MACHINE
        self._site.visits.count(edition_id, url, agent)
        return Response(status_code=302, headers=_HEADERS | {"location": safe_url(url)})

    async def opened(self, request: Request) -> Response:
        """The picture."""
        edition_id, mark = request.path_params["edition"], request.path_params["mark"]
        if not self._site.marks.is_opened(edition_id, mark):
            raise HTTPException(404)
        self._site.visits.count(edition_id, "", agent_of(request.headers, method=request.method))
        return Response(_PICTURE, media_type="image/gif", headers=_HEADERS)

    def _like_a_person(self, request: Request, edition_id: str) -> bool:
        """Whether no more links were followed from there than somebody can in a few seconds: scanners take them all."""
        host = request.client.host if request.client else ""
        return self._bursts.takes((edition_id, host), now=self._site.clock.now())

    def _links_of(self, edition_id: str) -> tuple[str, ...]:
        """NotFoundError for an edition that is not there: it may be tomorrow, and must not be remembered as empty."""
        self._site.editions.get(edition_id)
        base = self._site.settings.publication.base_url
        documents = self._site.editions.documents(edition_id)
        return tuple(dict.fromkeys(url for each in documents for url in links_of(each, base_url=base)))
