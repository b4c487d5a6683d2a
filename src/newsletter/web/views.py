"""The pages as HTML: templates of this package, escaped, with the headers every page has."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

from newsletter.model.publication import Publication
from newsletter.render.language import direction_of

_HEADERS = {
    # Archive pages carry the mail's inline styles and partners' pictures; nothing may run, frame or post elsewhere.
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
PRIVATE = {"cache-control": "no-store", "x-robots-tag": "noindex"}


class Views:
    """Renders pages for one publication."""

    def __init__(self, publication: Publication) -> None:
        self._templates = Environment(
            loader=PackageLoader("newsletter.web", "pages"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
        )
        self._shared = {"publication": publication, "direction": direction_of(publication.language)}

    def page(self, name: str, *, status: int = 200, private: bool = False, **context: Any) -> HTMLResponse:
        """One of our templates, filled in. A private page is about one person: never cached, never indexed."""
        text = self._templates.get_template(f"{name}.html").render(self._shared | {"private": private} | context)
        return HTMLResponse(text, status_code=status, headers=_HEADERS | (PRIVATE if private else {}))

    def as_sent(self, html: str) -> HTMLResponse:
        """A whole document that is not ours to change: an edition as it was sent."""
        return HTMLResponse(html, headers=_HEADERS)
