"""A web server on loopback that answers as a script says, and remembers what it was asked."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiohttp import web

from newsletter.collect.http import Fetcher
from newsletter.model.settings import Collect

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    """Paths and what they answer; `asked` has every request."""

    port: int = 0
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[web.Request] = field(default_factory=list)

    def url(self, path: str = "/feed", *, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.asked]

    def serve(
        self, path: str = "/feed", body: bytes = b"", *, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        """Answer a path with these bytes from now on."""

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(body=body, status=status, headers=headers or {})

        self.pages[path] = answer

    def serve_feed(self, body: bytes, *, path: str = "/feed", etag: str = '"1"') -> None:
        """Answer as a good server does: 304 to whoever has this version."""

        async def answer(request: web.Request) -> web.StreamResponse:
            headers = {"ETag": etag, "Last-Modified": "Wed, 04 Mar 2026 10:00:00 GMT"}
            if request.headers.get("If-None-Match") == etag:
                return web.Response(status=304, headers=headers)
            return web.Response(body=body, headers=headers, content_type="application/rss+xml")

        self.pages[path] = answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        page = self.pages.get(request.path)
        return web.Response(status=404) if page is None else await page(request)


@asynccontextmanager
async def a_server(*, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A running server on a free port, on every loopback address."""
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server._answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "0.0.0.0", 0, ssl_context=tls)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()


def with_server(test: Callable[[Server], Awaitable[None]]) -> Callable[[], None]:
    """The test with a server, in an event loop of its own."""

    def run() -> None:
        async def inner() -> None:
            async with a_server() as server:
                await test(server)

        asyncio.run(inner())

    run.__name__ = getattr(test, "__name__", "run")
    return run


def a_fetcher(*, tls: ssl.SSLContext | None = None, **settings: Any) -> Fetcher:
    """A fetcher that may ask 127.0.0.1 and nothing else at home."""
    known: dict[str, Any] = {
        "user_agent_contact": "https://example.org/feeds",
        "allow_private_hosts": ("127.0.0.1",),
        "timeout": timedelta(seconds=5),
    }
    return Fetcher(Collect(**known | settings), tls=tls)
