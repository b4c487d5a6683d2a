"""A partner's web server on loopback, with bodies that a test sets and validators that it honours."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from http.server import BaseHTTPRequestHandler

from tests.loopback import Loopback, Quiet


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article as a sample partner publishes it."""

    headline: str
    link: str = ""
    guid: str = ""
    body: str = "<p>A paragraph that says something. And one more sentence.</p>"
    dek: str = ""
    byline: str = ""
    categories: tuple[str, ...] = ()
    extra: str = ""
    age: timedelta = timedelta(hours=1)
    published_at: datetime | None = None
    """Instead of its age."""


def feed_of(*articles: Article, title: str = "A Partner", raw: bool = False) -> bytes:
    """An RSS 2.0 document. With `raw` the headlines are put in as they are, for what is no XML text."""
    items = "".join(_item(number, article, raw=raw) for number, article in enumerate(articles))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:media="http://search.yahoo.com/mrss/">'
        f"<channel><title>{title}</title><link>https://partner.example/</link>{items}</channel></rss>"
    ).encode("utf-8", "surrogatepass")


def _item(number: int, article: Article, *, raw: bool) -> str:
    named = hashlib.sha256(article.headline.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    link = article.link or f"https://partner.example/{number}/{named}"
    shown = article.headline if raw else escape(article.headline)
    published = format_datetime(article.published_at or datetime.now(UTC) - article.age)
    return (
        f"<item><title>{shown}</title><link>{escape(link)}</link>"
        f'<guid isPermaLink="false">{escape(article.guid or link)}</guid><pubDate>{published}</pubDate>'
        f"<dc:creator>{escape(article.byline)}</dc:creator>"
        + "".join(f"<category>{escape(name)}</category>" for name in article.categories)
        + f"<description>{escape(article.dek)}</description>"
        f"<content:encoded>{escape(article.body)}</content:encoded>{article.extra}</item>"
    )


@dataclass(slots=True)
class Asked:
    """One request that came."""

    path: str
    headers: dict[str, str]
    status: int = 0


class Partner(Loopback):
    """Serves `bodies` by path; remembers what it was asked. `with Partner() as partner: …`."""

    def __init__(self, *, bodies: Mapping[str, bytes] | None = None) -> None:
        self.bodies = dict(bodies or {})
        self.asked: list[Asked] = []
        self.slow: set[str] = set()
        """Paths that are not answered before `hurry` is set."""
        self.hurry = threading.Event()
        partner = self

        class Handler(Quiet, BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                partner.answer(self)

        super().__init__(Handler)

    def __exit__(self, *left: object) -> None:
        self.hurry.set()
        super().__exit__(*left)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = Asked(request.path, {name.lower(): value for name, value in request.headers.items()})
        self.asked.append(asked)
        if request.path in self.slow:
            self.hurry.wait()
        body = self.bodies.get(request.path)
        etag = f'"{hashlib.sha256(body or b"").hexdigest()[:16]}"'
        asked.status = 404 if body is None else 304 if asked.headers.get("if-none-match") == etag else 200
        sent = body if asked.status == 200 and body is not None else b""
        with suppress(ConnectionError):  # who asked may have gone
            self._send(request, asked.status, etag, sent)

    @staticmethod
    def _send(request: BaseHTTPRequestHandler, status: int, etag: str, body: bytes) -> None:
        request.send_response(status)
        request.send_header("Content-Type", "application/rss+xml")
        request.send_header("ETag", etag)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
