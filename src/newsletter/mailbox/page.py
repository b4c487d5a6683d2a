"""The page that shows a mailbox: a list, and each mail as HTML, text, headers and source. For loopback only.

Nothing of a mail ever becomes part of the page: its HTML is a document of its own in a sandboxed frame, where by the
document's own policy nothing runs, loads code or sends a form.
"""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from newsletter.errors import NotFoundError
from newsletter.mailbox.box import Box, Mail
from newsletter.mailbox.reading import framed, opened

_MOST_LISTED: Final = 500
_VIEWS: Final = ("html", "text", "headers", "source")
_WIDTHS: Final = ("375", "600", "full")

_HEADERS: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_OURS: Final = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_THEIRS: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src http: https: data:; form-action 'none'; frame-ancestors 'self'"
)


def mailbox_app(box: Box) -> Starlette:
    """The page of a mailbox. It answers to loopback names only, so that no web site can read it through a browser."""
    pages = _Pages(box)
    routes = [
        Route("/", pages.listed),
        Route("/style.css", _style),
        Route("/mail/{mail_id}", pages.mail),
        Route("/mail/{mail_id}/html", pages.html),
        Route("/mail/{mail_id}/message.eml", pages.message),
    ]
    hosts = ["127.0.0.1", "localhost", "[::1]"]
    return Starlette(
        routes=routes,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)],
        exception_handlers={NotFoundError: _not_found},
    )


class _Pages:
    def __init__(self, box: Box) -> None:
        self._box = box
        self._templates = Environment(
            loader=PackageLoader("newsletter.mailbox", "pages"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
        )
        self._templates.filters |= {"size": _size, "clock": _clock}

    async def listed(self, request: Request) -> Response:
        """The newest mails, or those that a word is found in."""
        wanted = request.query_params.get("q", "").strip()
        mails = self._box.listed()
        found = [mail for mail in mails if _matches(mail, wanted.lower())]
        return self._page("list", mails=found[:_MOST_LISTED], found=len(found), total=len(mails), q=wanted)

    async def mail(self, request: Request) -> Response:
        """One mail in one of its views."""
        mail = self._box.find(request.path_params["mail_id"])
        parts = opened(self._box.content(mail.id))
        view = request.query_params.get("view", "")
        if view not in _VIEWS:
            view = "html" if parts.html is not None else "text"
        width = request.query_params.get("width", "")
        return self._page(
            "mail",
            mail=mail,
            parts=parts,
            view=view,
            views=_VIEWS,
            width=width if width in _WIDTHS else "full",
            widths=_WIDTHS,
        )

    async def html(self, request: Request) -> Response:
        """The HTML part alone, for the frame: a document that may do nothing."""
        parts = opened(self._content(request))
        if parts.html is None:
            raise NotFoundError("HTML part", request.path_params["mail_id"])
        return HTMLResponse(framed(parts.html), headers=_HEADERS | {"content-security-policy": _THEIRS})

    async def message(self, request: Request) -> Response:
        """The bytes as they came, to be opened in a mail program."""
        name = f"{request.path_params['mail_id']}.eml"
        headers = _HEADERS | {"content-disposition": f'attachment; filename="{name}"'}
        return Response(self._content(request), media_type="message/rfc822", headers=headers)

    def _content(self, request: Request) -> bytes:
        return self._box.content(request.path_params["mail_id"])

    def _page(self, name: str, **context: Any) -> HTMLResponse:
        text = self._templates.get_template(f"{name}.html").render(context)
        return HTMLResponse(text, headers=_HEADERS | {"content-security-policy": _OURS})


async def _style(_: Request) -> Response:
    css = files("newsletter.mailbox").joinpath("pages/style.css").read_bytes()
    return Response(css, media_type="text/css", headers=_HEADERS)


async def _not_found(_: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", status_code=404, headers=_HEADERS)


def _matches(mail: Mail, wanted: str) -> bool:
    return any(wanted in text.lower() for text in (mail.subject, mail.author, *mail.recipients))


def _size(size_bytes: int) -> str:
    return f"{size_bytes} B" if size_bytes < 1000 else f"{size_bytes / 1000:.1f} kB"  # noqa: PLR2004


def _clock(at: datetime) -> str:
    return at.astimezone().strftime("%H:%M:%S")
