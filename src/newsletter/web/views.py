"""The pages as HTML: templates of this package, escaped, in the reader's language, with the headers all pages have."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import date
from functools import cache, partial
from importlib import resources
from typing import Any
from urllib.parse import quote, urlencode

from babel import Locale
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from newsletter.language.catalogue import LANGUAGES, nearest, translations
from newsletter.language.choice import chosen
from newsletter.language.tags import direction_of, written_date
from newsletter.model.publication import MailingList, Publication

_STYLE = resources.files("newsletter.web").joinpath("pages/style.css").read_text(encoding="utf-8")
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    # The one style sheet is named by its hash; nothing may run, load, frame or post elsewhere.
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # Not none at all: browsers then say of our own forms that they come from nowhere.
    "referrer-policy": "same-origin",
}
AS_SENT = _HEADERS | {
    "content-type": "text/html; charset=utf-8",
    # A mail carries its styles in its elements, and partners' pictures; it has no need of anything else.
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
    ),
    "referrer-policy": "no-referrer",
}
"""The headers of a whole document that is not ours to change: an edition as it was sent."""
PRIVATE = {"cache-control": "no-store", "x-robots-tag": "noindex"}
_PUBLIC = {"cache-control": "public, max-age=300", "vary": "accept-language"}


class Views:
    """Renders pages for one publication."""

    def __init__(self, publication: Publication) -> None:
        self._publication = publication

    def page(
        self,
        request: Request,
        name: str,
        *,
        status: int = 200,
        private: bool = False,
        reader: str | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """One of our templates, filled in. A private page is about one person: never cached, never indexed.

        `reader` is the language somebody has chosen before, which goes before what their browser says.
        """
        language = self._language(request, reader, context)
        shared = self._shared(language, kept=nearest(request.query_params.get("lang") or "")) | {
            "private": private,
            "status": status,
            "switchable": request.method == "GET",
            "path": quote(request.scope["path"], safe="/"),
        }
        text = _templates(language).get_template(f"{name}.html").render(shared | context)
        headers = _HEADERS | {"content-language": language} | (PRIVATE if private else _PUBLIC)
        return HTMLResponse(text, status_code=status, headers=headers)

    def wording(self, request: Request, name: str, *, reader: str | None = None, **context: Any) -> str:
        """What a page tells people before they press its button, in their language: its block `wording`, as text."""
        language = self._language(request, reader, context)
        template = _templates(language).get_template(f"{name}.html")
        shown = template.new_context(self._shared(language, kept=None) | context)
        return Markup("".join(template.blocks["wording"](shown))).striptags()  # noqa: S704 the page is escaped already

    def _language(self, request: Request, reader: str | None, context: Mapping[str, Any]) -> str:
        asked, accepted = request.query_params.get("lang"), request.headers.get("accept-language", "")
        about = context.get("mailing_list") or context.get("follow")
        return chosen(asked, reader, accepted=accepted, fallback=self._spoken(about))

    def _spoken(self, mailing_list: MailingList | None) -> str:
        """The language editors write in, of a list or altogether."""
        return (mailing_list and mailing_list.language) or self._publication.language

    def _shared(self, language: str, *, kept: str | None) -> dict[str, Any]:
        """What all templates see. `kept` is the language that links on the page go on asking for."""
        publication = self._publication
        return {
            "publication": publication,
            "language": language,
            "direction": direction_of(language),
            # What editors wrote stays in their language, and says so.
            "theirs": _told(publication.language, among=language),
            "theirs_of": lambda mailing_list: _told(self._spoken(mailing_list), among=language),
            "languages": _offered(),
            "link": partial(_link, publication.base_url, kept),
            "style": Markup(_STYLE),  # noqa: S704 ours
        }


@cache
def _templates(language: str) -> Environment:
    env = Environment(
        loader=PackageLoader("newsletter.web", "pages"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    env.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    env.filters["date"] = partial(_date, language)
    return env


@cache
def _offered() -> tuple[tuple[str, str, Markup], ...]:
    """(tag, its own name, attributes for that name), for each language there is."""
    return tuple((tag, str(Locale(tag).get_display_name(tag)), _tongue(tag)) for tag in LANGUAGES)


def _date(language: str, day: date, form: str = "long") -> str:
    return written_date(day, language=language, form=form)


def _link(base_url: str, language: str | None, path: str, **query: object) -> str:
    """A page of ours; who chose a language in the address bar keeps it."""
    asked = query | ({"lang": language} if language else {})
    return base_url + path + ("?" + urlencode(asked) if asked else "")


def _told(tag: str, *, among: str) -> Markup:
    """Attributes for words in one language among those of another."""
    return _tongue(tag) if tag != among else Markup()


def _tongue(tag: str) -> Markup:
    return Markup(' lang="{}" dir="{}"').format(tag, direction_of(tag).value)
