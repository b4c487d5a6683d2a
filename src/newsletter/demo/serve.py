"""The sample partners' web server: feeds with validators, article pages, pictures. Loopback only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from newsletter.demo.partners import Partner, article_page, feed_xml


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerSite:
    """All sample partners at once, each below a path of its own; `now` is the moment their articles are dated from."""

    partners: tuple[Partner, ...]
    base_url: str
    now: datetime

    async def feed(self, request: Request) -> Response:
        """A partner's feed, or 304 for who has it."""
        body = feed_xml(self._partner(request), base_url=self.base_url, now=self.now)
        etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        headers = {"etag": etag, "last-modified": format_datetime(self.now, usegmt=True)}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type="application/rss+xml", headers=headers)

    async def article(self, request: Request) -> Response:
        """The page of one article."""
        partner = self._partner(request)
        for article in partner.articles:
            if article.slug == request.path_params["slug"]:
                return HTMLResponse(article_page(partner, article, base_url=self.base_url))
        raise HTTPException(404)

    async def home(self, request: Request) -> Response:
        """A partner's front page: its latest article, with a link to the feed in its head."""
        partner = self._partner(request)
        return HTMLResponse(article_page(partner, partner.articles[0], base_url=self.base_url))

    async def picture(self, request: Request) -> Response:
        """One of the drawn pictures."""
        known = {path.name: path for path in files("newsletter.demo").joinpath("pictures").iterdir()}
        name = request.path_params["name"]
        if name not in known:
            raise HTTPException(404)
        return Response(known[name].read_bytes(), media_type="image/png", headers={"cache-control": "max-age=86400"})

    def _partner(self, request: Request) -> Partner:
        for partner in self.partners:
            if partner.id == request.path_params["partner"]:
                return partner
        raise HTTPException(404)

    def app(self) -> Starlette:
        """The application that serves it."""
        routes = [
            Route("/pictures/{name}", self.picture),
            Route("/{partner}/feed", self.feed),
            Route("/{partner}/{slug}", self.article),
            Route("/{partner}", self.home),
        ]
        return Starlette(routes=routes)
