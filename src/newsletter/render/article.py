"""An article's markup made fit for a mail: few elements, no styles of its own, headings at the right depth."""

from __future__ import annotations

import re

import nh3
from lxml import etree, html

from newsletter.model.item import Direction
from newsletter.model.links import safe_url
from newsletter.render.plain import Cleaner, without_controls

# What an article may consist of. Mail readers know these, and none of them can run or load anything but a picture.
_ELEMENTS = {
    *("p", "br", "hr", "div", "span", "blockquote", "pre", "code", "cite", "q", "abbr", "bdi", "bdo"),
    *("a", "em", "strong", "b", "i", "u", "s", "del", "ins", "small", "sub", "sup", "mark"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd"),
    *("img", "figure", "figcaption", "table", "caption", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {
    "*": {"dir", "lang"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
}
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_DIRECTIONS = {"ltr", "rtl", "auto"}
_TAGS = re.compile(r"<(/?)([a-z][a-z0-9]*)")
_VOID = {"br", "hr", "img"}
_DEEPEST = 40
"""Elements inside one another; an article nested deeper is kept as plain paragraphs."""
_SPECK = 2
"""Pixels. A picture of this size counts readers; it shows them nothing."""
_DIGITS = 5


def mail_html(article: str, *, cleaner: Cleaner, level: int, width: int, direction: Direction) -> str:
    """`article` as markup that may stand in a mail's body, `""` for none.

    Its subheads become headings of `level`, whatever their own was: a mail needs no deeper outline and a gap in it
    confuses screen readers. Pictures are at most `width` pixels wide.
    """
    cleaned = _cleaned(without_controls(article))
    # Only now: cleaning decodes character references, which could have spelt the nonce.
    cleaned = cleaner.without_nonce(cleaned)
    if not cleaned.strip():
        return ""
    tree = html.fragment_fromstring(cleaned, create_parent="div")
    _settle(tree, level=level, width=width)
    for quotation in tree.iter("blockquote"):
        # Outlook knows no border at the side where lines begin, so the side is named.
        quotation.set("class", "from-right" if direction is Direction.RTL else "from-left")
    return _inner(tree)


def _cleaned(article: str) -> str:
    cleaned = nh3.clean(article, tags=_ELEMENTS, attributes=_ATTRIBUTES, url_schemes={"http", "https"}, link_rel=None)
    # libxml2 stops reading at a depth of 256, and with it would go the rest of the mail.
    return cleaned if _depth(cleaned) <= _DEEPEST else nh3.clean(cleaned, tags={"p", "br"}, attributes={})


def _depth(markup: str) -> int:
    deepest = depth = 0
    for tag in _TAGS.finditer(markup):
        if tag[2] not in _VOID:
            depth += -1 if tag[1] else 1
            deepest = max(deepest, depth)
    return deepest


def _settle(tree: html.HtmlElement, *, level: int, width: int) -> None:
    for element in list(tree.iter(*_HEADINGS)):
        element.tag = f"h{level}"
    for link in list(tree.iter("a")):
        _settle_link(link)
    for picture in list(tree.iter("img")):
        _settle_picture(picture, width=width)
    for element in tree.iter("table"):
        # A table of an article holds data, unlike those that the page is built from.
        element.set("class", "data")
    for element in tree.iter():
        if element.get("dir", "ltr") not in _DIRECTIONS:
            del element.attrib["dir"]


def _settle_link(link: html.HtmlElement) -> None:
    url = safe_url(link.get("href", ""))
    if url:
        link.set("href", url)
    else:
        link.drop_tag()


def _settle_picture(picture: html.HtmlElement, *, width: int) -> None:
    url = safe_url(picture.get("src", ""))
    own = _pixels(picture.get("width")), _pixels(picture.get("height"))
    if not url or any(side is not None and side <= _SPECK for side in own):
        picture.drop_tree()
        return
    shown = fitted(own[0], own[1], width=width)
    picture.attrib.update({"src": url, "alt": picture.get("alt", ""), "width": str(shown[0])})
    picture.attrib.pop("height", None)
    if shown[1] is not None:
        picture.set("height", str(shown[1]))


def fitted(own_width: int | None, own_height: int | None, *, width: int) -> tuple[int, int | None]:
    """The size at which a picture is shown in a column of `width`; the height is None where nobody knows it."""
    if not own_width or not own_height:
        return min(own_width or width, width), None
    shown = min(own_width, width)
    return shown, max(1, round(own_height * shown / own_width))


def _pixels(value: str | None) -> int | None:
    numeric = value is not None and value.isascii() and value.isdigit() and len(value) <= _DIGITS
    return int(value) if value is not None and numeric else None


def _inner(tree: html.HtmlElement) -> str:
    children = "".join(etree.tostring(child, encoding="unicode", method="html") for child in tree)
    head = etree.Element("x")
    head.text = tree.text
    return etree.tostring(head, encoding="unicode", method="html")[3:-4] + children
