"""A piece as markup for feed readers: its picture with caption and credit, its text, and the credit line it owes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

import nh3

from newsletter.model.edition import Piece
from newsletter.model.item import Image
from newsletter.model.links import safe_url
from newsletter.model.text import one_line

_ELEMENTS = {
    *("p", "br", "blockquote", "pre", "code", "cite", "q", "abbr", "small", "sub", "sup", "mark"),
    *("a", "em", "strong", "b", "i", "u", "s", "del", "ins", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li"),
}
_ATTRIBUTES = {"*": {"dir", "lang"}, "a": {"href"}, "ol": {"start"}}
# What XML 1.0 cannot say at all, not even as a character reference.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TYPES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture. `type` is what its name says it is, empty where that says nothing."""

    url: str
    type: str
    alt: str
    caption: str
    credit: str


def picture_of(image: Image | None) -> Picture | None:
    """The picture, if it has an address that can be shown."""
    url = safe_url(image.url) if image else ""
    if image is None or not url:
        return None
    return Picture(
        url=url,
        type=_TYPES.get(urlsplit(url).path.rpartition(".")[2].lower(), ""),
        alt=one_line(image.alt, limit=300),
        caption=one_line(image.caption, limit=600),
        credit=one_line(image.credit, limit=200),
    )


def content_of(piece: Piece, picture: Picture | None, *, language: str | None) -> str:
    """The markup, `""` for none. With a language it says so itself: feeds have no place for a direction."""
    html = "".join(_parts(piece, picture))
    return f'<div lang="{language}" dir="{piece.direction}">{html}</div>' if html and language else html


def _parts(piece: Piece, picture: Picture | None) -> Iterator[str]:
    if picture:
        yield f'<figure><img src="{escape(picture.url)}" alt="{escape(picture.alt)}">{_caption(picture)}</figure>'
    yield _clean(piece.html)
    if credit := one_line(piece.credit_line):
        yield f"<p><small>{escape(credit)}</small></p>"


def _caption(picture: Picture) -> str:
    # A class of this name is how publishing systems mark a credit, so that programs tell it from the caption.
    credit = f'<small class="credit">{escape(picture.credit)}</small>' if picture.credit else ""
    told = " ".join(filter(None, (escape(picture.caption), credit)))
    return f"<figcaption>{told}</figcaption>" if told else ""


def _clean(html: str) -> str:
    # Once more afterwards: cleaning decodes references to characters that may not be there.
    kept = nh3.clean(
        _NO_XML.sub("", html), tags=_ELEMENTS, attributes=_ATTRIBUTES, url_schemes={"http", "https"}, link_rel=None
    )
    return _NO_XML.sub("", kept)
