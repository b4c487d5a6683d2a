"""Pictures in an article's markup, with the captions and credits that publishing systems wrap around them.

Known: figure and figcaption (WordPress' block editor and most others), `wp-caption` (its older editor), RebelMouse's
`shortcode-media`, and a picture followed by its caption in italics. All of them leave the text: the lead picture is
shown apart, and the right to republish a text seldom covers the other pictures in it.
"""

from __future__ import annotations

import re

from lxml.html import HtmlElement

from newsletter.collect.blocks import text_of
from newsletter.collect.credits import LONGEST_CAPTION, caption_and_credit
from newsletter.collect.urls import absolute
from newsletter.model.item import Image
from newsletter.model.text import one_line

_HOLDER = re.compile(r"(?:^|\s)(?:wp-caption|shortcode-media\S*|image-block|captioned-image\S*|inline-image)(?:\s|$)")
_CAPTION = re.compile(r"caption|cutline")
_CREDIT = re.compile(r"credit|copyright|photographer|attribution")
_TRACKER = re.compile(
    r"//[^/]*(?:doubleclick|feedburner|feedsportal|scorecardresearch|quantserve|pixel|stats\.wp|stats\.wordpress|analytics)"
    r"|/(?:pixel|beacon|track(?:er|ing)?|spacer|blank|1x1)\b|[?&](?:pixel|tracking)=",
    re.IGNORECASE,
)
_SMALLEST_SIDE = 90
# Looking around a picture takes as long as what stands around it; nobody needs the hundredth.
_MOST_PICTURES = 40
_WRAPPERS = frozenset({"a", "p", "span", "div", "center", "picture", "em", "strong", "b", "i"})


def take_pictures(root: HtmlElement, base: str) -> tuple[Image, ...]:
    """Remove every picture from the markup, with its caption; return those worth showing, in order."""
    _spell_out_emoji(root)
    pictures = list(root.iter("img"))
    found = [_take(image, root, base) for image in pictures[:_MOST_PICTURES]]
    for image in pictures[_MOST_PICTURES:]:
        image.drop_tree()
    _drop_orphans(root)
    return tuple(image for image in found if image is not None)


def _take(image: HtmlElement, root: HtmlElement, base: str) -> Image | None:
    if not _inside(image, root):
        return None
    holder = _holder(image, root)
    caption, credit = _words_around(image, holder)
    made = _image(image, base, caption=caption, credit=credit)
    holder.drop_tree()
    return made


def _inside(element: HtmlElement, root: HtmlElement) -> bool:
    return any(above is root for above in element.iterancestors())


def _holder(image: HtmlElement, root: HtmlElement) -> HtmlElement:
    """What goes with the picture: its figure, else the outermost wrapper that holds nothing but the picture."""
    for above in image.iterancestors():
        if above is root:
            break
        if above.tag == "figure" or _HOLDER.search(above.get("class", "")):
            return above
    lone = image
    for above in image.iterancestors():
        if (
            above is root
            or above.tag not in _WRAPPERS
            or not (_is_alone(lone, above) or _has_slanted_caption(image, above))
        ):
            break
        lone = above
    return lone


def _is_alone(element: HtmlElement, parent: HtmlElement) -> bool:
    return len(parent) == 1 and not (parent.text or "").strip() and not (element.tail or "").strip()


def _has_slanted_caption(image: HtmlElement, parent: HtmlElement) -> bool:
    """Whether a paragraph is a picture and after it words all in italics or small print."""
    if parent.tag not in {"p", "div"} or (parent.text or "").strip() or len(text_of(parent)) > LONGEST_CAPTION:
        return False
    slanted = [child for child in parent if child.tag in {"em", "i", "small"}]
    others = [child for child in parent if child not in slanted and child.tag != "br" and image not in child.iter()]
    return bool(slanted) and not others and not any((child.tail or "").strip() for child in parent)


def _words_around(image: HtmlElement, holder: HtmlElement) -> tuple[str, str]:
    if holder is image:
        return "", ""
    signed = [element for element in holder.iter("small", "span", "cite", "p", "div") if _is_credit(element)]
    credit = " / ".join(dict.fromkeys(filter(None, map(text_of, signed))))
    for element in signed:
        if element.getparent() is not None and element is not holder:
            element.drop_tree()
    caption = " ".join(filter(None, map(text_of, _captions(holder)))) or text_of(holder)
    return caption_and_credit(caption, credit)


def _is_credit(element: HtmlElement) -> bool:
    return element.tag == "cite" or bool(_CREDIT.search(element.get("class", "")))


def _captions(holder: HtmlElement) -> list[HtmlElement]:
    found = list(holder.iter("figcaption"))
    return (
        found
        or [
            element
            for element in holder.iterdescendants("p", "small", "span", "div")
            if _CAPTION.search(element.get("class", "")) and element.find(".//img") is None
        ][:1]
    )


def _image(element: HtmlElement, base: str, *, caption: str, credit: str) -> Image | None:
    """The picture as a value, or None if it is furniture: a tracking pixel, an icon, or without an address."""
    width, height = _pixels(element.get("width")), _pixels(element.get("height"))
    url = _source(element, base)
    too_small = any(side is not None and side < _SMALLEST_SIDE for side in (width, height))
    if url is None or too_small or _TRACKER.search(url):
        return None
    alt = one_line(element.get("alt", ""), limit=300)
    return Image(url=url, caption=caption, credit=credit, alt=alt, width=width, height=height)


def _source(element: HtmlElement, base: str) -> str | None:
    """The picture's address; where it is loaded late, the one it will have."""
    for name in ("data-lazy-src", "data-src", "data-original", "src"):
        value = element.get(name, "")
        if value and not value.startswith("data:") and (url := absolute(value, base)):
            return url
    return None


def _pixels(value: str | None) -> int | None:
    digits = (value or "").strip().removesuffix("px")
    return int(digits) if digits.isdecimal() and len(digits) <= 5 else None  # noqa: PLR2004 no picture is wider


def _spell_out_emoji(root: HtmlElement) -> None:
    """WordPress draws emoji as pictures, with the character as their alternative text."""
    for image in list(root.iter("img")):
        if {"wp-smiley", "emoji"} & set(image.get("class", "").split()):
            image.tag = "span"
            image.text = image.get("alt", "")


def _drop_orphans(root: HtmlElement) -> None:
    """Captions whose picture or film is gone, and figures with nothing else in them."""
    for element in list(root.iter("figcaption")):
        element.drop_tree()
    for element in list(root.iter("p", "small", "span", "div")):
        names = set(element.get("class", "").split())
        if names & {"wp-caption-text", "media-caption", "media-photo-credit", "image-caption"} and _inside(
            element, root
        ):
            element.drop_tree()
