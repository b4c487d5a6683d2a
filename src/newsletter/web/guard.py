"""What stands around every page.

Requests for another host, forms from other sites and bodies too large are refused; no answer goes out without the
headers that keep a browser safe.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY_BYTES = 64 * 1024
_LOOPBACK = frozenset({"127.0.0.1", "[::1]", "localhost"})
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:\d{1,5})?")
# A mail provider's one-click POST (RFC 8058) comes from wherever it likes, with whatever it likes: nothing keeps
# anybody from leaving, neither an old host name nor a strange body. The token in the address is proof enough.
_ALWAYS = "/u/"
# What hubs push is a feed's document, and signed.
_PUSHED = "/websub/"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LENGTH = re.compile(r"[0-9]{1,18}")


_AT_LEAST = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class Guard:
    """ASGI middleware. `hosts` are the names we answer to besides loopback; `refuse` makes the answer for a status.

    What hubs push may have `pushed_bytes`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str],
        refuse: Callable[[Request, HTTPException], Response],
        pushed_bytes: int = LARGEST_BODY_BYTES,
    ) -> None:
        self._app = app
        self._pushed_bytes = pushed_bytes
        self._hosts = frozenset(host.lower() for host in hosts) | _LOOPBACK
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, send = Request(scope), _with_headers(send)
        status = None if request.scope["path"].startswith(_ALWAYS) else self._fault(request)
        if status is not None:
            await self._refuse(request, HTTPException(status))(scope, receive, send)
        else:
            await self._app(scope, _counted(receive, most=self._most(request)), send)

    def _fault(self, request: Request) -> int | None:
        """The status a request is refused with, None if it is not."""
        if not self._is_ours(request.headers.get("host", "")):
            return 421
        if request.method in _SAFE:
            return None
        if not self._is_from_here(request):
            return 403
        return 413 if _declared(request) > self._most(request) else None

    def _most(self, request: Request) -> int:
        """How large its body may be."""
        return self._pushed_bytes if request.scope["path"].startswith(_PUSHED) else LARGEST_BODY_BYTES

    def _is_ours(self, host: str) -> bool:
        found = _HOST.fullmatch(host.lower())
        return found is not None and found[1] in self._hosts

    def _is_from_here(self, request: Request) -> bool:
        """Whether a form was on a page of ours. Browsers say where it was; what says nothing at all is none."""
        origin = request.headers.get("origin", "null")
        if origin != "null":
            return self._is_ours(_host_of(origin))
        said = "origin" not in request.headers
        return request.headers.get("sec-fetch-site", "none" if said else "unknown") in {"same-origin", "none"}


def _with_headers(send: Send) -> Send:
    """Answers with what every one of them needs; a page that says it itself knows better."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _AT_LEAST.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _declared(request: Request) -> int:
    """How long a body is said to be; what is no number is counted as it comes."""
    length = request.headers.get("content-length", "")
    return int(length) if _LENGTH.fullmatch(length) else 0


def _counted(receive: Receive, *, most: int) -> Receive:
    """The request's body, refused from where it becomes larger than it may be."""
    seen = 0

    async def counting() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise HTTPException(413)
        return message

    return counting
