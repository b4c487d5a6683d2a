"""What a finished mail must and must not carry, checked after all the templates have run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from lxml import etree, html

from newsletter.render.recipient import FIELDS

# Mail readers drop these or take the mail for an attack; none belongs in a newsletter.
_FORBIDDEN = {
    *("script", "iframe", "frame", "object", "embed", "applet", "base"),
    *("form", "input", "button", "select", "textarea", "link", "audio", "video", "svg", "math"),
}
_ADDRESSES = ("href", "src", "background", "action", "poster", "srcset")
_SCHEMES = {"http", "https", "mailto", "tel", ""}
_CSS_LOADS = re.compile(r"@import|url\s*\(|expression\s*\(|javascript:", re.IGNORECASE)


def page_faults(page: str, *, nonce: str) -> tuple[str, ...]:
    """What is wrong with an HTML document, a sentence each, without repeats."""
    tree = html.document_fromstring(page)
    found = [fault for element in tree.iter(etree.Element) for fault in _element_faults(element, nonce)]
    return tuple(dict.fromkeys(found))


def _element_faults(element: html.HtmlElement, nonce: str) -> Iterator[str]:
    tag = str(element.tag)
    if tag in _FORBIDDEN:
        yield f"<{tag}> does not belong in a mail"
    if tag == "meta" and element.get("http-equiv", "").lower() == "refresh":
        yield "<meta http-equiv=refresh> does not belong in a mail"
    if tag == "img" and "alt" not in element.attrib:
        yield 'a picture has no alt="…" for readers who do not see it'
    if tag == "style" and _CSS_LOADS.search(element.text or ""):
        yield "a style sheet loads something from outside"
    for name, value in element.attrib.items():
        yield from _attribute_faults(tag, str(name).lower(), str(value), nonce)


def _attribute_faults(tag: str, name: str, value: str, nonce: str) -> Iterator[str]:
    if name.startswith("on"):
        yield f"<{tag} {name}=…> runs a script"
    if name == "style" and _CSS_LOADS.search(value):
        yield f"the style of a <{tag}> loads something from outside"
    if name in _ADDRESSES and not value.startswith(nonce) and not _allowed(value):
        yield f"<{tag} {name}=…> must be an absolute web address, got {value[:60]!r}"


def _allowed(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme in {"http", "https"}:
        return bool(parts.netloc)
    # A link to another place in the same mail has no scheme.
    return parts.scheme in _SCHEMES - {""} or (parts.scheme == "" and url.startswith("#"))


def placeholder_faults(document: str, *, nonce: str, name: str, needed: Iterable[str]) -> tuple[str, ...]:
    """Placeholders that are not spelt as a field, and needed fields that are not there. `name` is "HTML" or "text"."""
    whole = len(re.findall(f"{nonce}(?:{'|'.join(FIELDS)})", document))
    faults = [f"the {name} part lacks {{{{ fields.{field} }}}}" for field in needed if nonce + field not in document]
    if document.count(nonce) != whole:
        faults.append(f"the {name} part has a damaged placeholder: fields go in unchanged, without filters")
    return tuple(faults)
