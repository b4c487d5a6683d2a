"""A feed's markup made fit for mail: few elements, absolute links, no pictures, nothing that runs, tracks or hides.

nh3 has the first word, so that what follows works on a well-formed tree, and the last, so that nothing depends on it.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

import nh3
from lxml.html import HtmlElement, fragment_fromstring, tostring

from newsletter.collect.blocks import INLINE, blocks_of, text_of
from newsletter.collect.chrome import is_chrome, without_cut_mark
from newsletter.collect.pictures import take_pictures
from newsletter.model.furniture import leads_on
from newsletter.model.item import Image

TAGS = frozenset("p h2 h3 h4 blockquote ul ol li a em strong b i br sub sup code s u q cite bdi".split())
_ATTRIBUTES = {"a": {"href"}, "*": {"dir", "lang"}}
_SCHEMES = {"http", "https", "mailto"}
_FIRST_TAGS = (
    TAGS
    | INLINE
    | set(
        "div section article main header footer aside center address figure figcaption picture h1 h5 h6 pre hr table"
        " thead tbody tfoot tr td th caption dl dt dd details summary".split()
    )
)
_FIRST_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "data-src", "data-lazy-src", "data-original", "alt", "width", "height"},
    "*": {"class", "style", "hidden", "dir", "lang"},
}
# Gone with all they contain; other unknown elements only lose their tags.
_WITH_CONTENT = set(
    "script style iframe object embed form button select textarea svg math noscript template video audio nav"
    " title".split()
)
_UNSEEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_FOR_SCREEN_READERS = {"screen-reader-text", "sr-only", "visually-hidden"}
_HARMFUL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ufff9-\ufffb\ud800-\udfff]"
)
_LINE_SEPARATORS = re.compile("[\u2028\u2029]")
_CAPTION_SHORTCODE = re.compile(
    r"\[caption\b[^\]]{0,400}\]\s*((?:<a\b[^>]{0,2000}>\s*)?<img\b[^>]{0,4000}>(?:\s*</a>)?)((?:(?!\[/?caption).){0,2000})\[/caption\]",
    re.DOTALL,
)
_SHORTCODE = re.compile(r"\[/?(?:caption|gallery|embed|video|audio|playlist|vc_\w+|et_pb_\w+|su_\w+)\b[^\]]{0,400}\]")
_ANY_TAG = re.compile(
    r"</?(?:p|div|br|a|b|i|em|strong|span|img|ul|ol|li|h[1-6]|blockquote|q|cite|sub|sup|u|s|small|font|code|tt"
    r"|script|style|svg|iframe|object|table|figure)\b[^>]*>",
    re.IGNORECASE,
)
# A last paragraph without a link is furniture only if it is hardly more than the words "continue reading".
_SHORT_ENDING = 60
# A long read has 100,000 characters; what is far beyond is no article, and no mail could carry it.
MOST_MARKUP = 1_000_000
_NEVER_A_BASE = "https://invalid.invalid/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """Safe markup, the same words as paragraphs separated by blank lines, and the pictures that stood in it."""

    html: str = ""
    text: str = ""
    images: tuple[Image, ...] = ()


def cleaned(markup: str, base: str) -> Cleaned:
    """The markup of an article, cleaned; relative links are joined to `base`."""
    if not markup.strip():
        return Cleaned()
    root = _tree(markup[:MOST_MARKUP], base)
    _drop_unseen(root)
    images = take_pictures(root, base)
    blocks = _without_chrome(blocks_of(root))
    kept = nh3.clean(
        "\n".join(tostring(block, encoding="unicode", with_tail=False) for block in blocks),
        tags=set(TAGS),
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    return Cleaned(html=kept, text="\n\n".join(_paragraphs(blocks)), images=images)


def from_plain_text(text: str) -> Cleaned:
    """The same for text that is no markup: a blank line ends a paragraph."""
    parts = re.split(r"\n\s*\n", harmless(text).replace("\r\n", "\n"))
    return cleaned("".join(f"<p>{html.escape(part.strip(), quote=False)}</p>" for part in parts), _NEVER_A_BASE)


def visible(markup: str) -> str:
    """What a reader sees of a short text that may be plain or marked up, as plain text."""
    if _ANY_TAG.search(markup) or "<!--" in markup:
        markup = nh3.clean(markup, tags=set(), clean_content_tags=_WITH_CONTENT)
    return harmless(html.unescape(markup))


def harmless(text: str) -> str:
    """Text without controls, lone surrogates and marks that reorder what stands around them."""
    return _HARMFUL.sub("", _LINE_SEPARATORS.sub("\n", text))


def looks_like_markup(text: str) -> bool:
    """Whether a text has tags or entities in it."""
    return bool(_ANY_TAG.search(text)) or bool(re.search(r"&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]\w+);", text))


def _tree(markup: str, base: str) -> HtmlElement:
    markup = _CAPTION_SHORTCODE.sub(r"<figure>\1<figcaption>\2</figcaption></figure>", harmless(markup))
    well_formed = nh3.clean(
        _SHORTCODE.sub("", markup),
        tags=set(_FIRST_TAGS),
        attributes=_FIRST_ATTRIBUTES,
        clean_content_tags=_WITH_CONTENT,
        url_schemes=_SCHEMES,
        url_relative=("rewrite_with_base", base),
        link_rel=None,
    )
    # Entities are characters by now, so what they spelt is looked at again.
    return fragment_fromstring(harmless(well_formed), create_parent="div")


def _drop_unseen(root: HtmlElement) -> None:
    for element in list(root.iterdescendants()):
        unseen = _UNSEEN.search(element.get("style", "")) or "hidden" in element.attrib
        if (unseen or _FOR_SCREEN_READERS & set(element.get("class", "").split())) and element.getparent() is not None:
            element.drop_tree()


def _without_chrome(blocks: list[HtmlElement]) -> list[HtmlElement]:
    """The blocks without furniture, which stands mostly at the end, and without a cut mark after the last word."""
    kept = [block for block in blocks if not is_chrome(text_of(block), at_end=False)]
    while kept and _is_ending(kept[-1]):
        kept.pop()
    if kept:
        _cut_ending(kept[-1])
    return kept if not kept or text_of(kept[-1]) else kept[:-1]


def _is_ending(block: HtmlElement) -> bool:
    text = text_of(block)
    short = len(text) <= _SHORT_ENDING
    return is_chrome(text, at_end=True) and (short or block.find(".//a") is not None)


def _cut_ending(block: HtmlElement) -> None:
    """Remove a read-on link and a cut mark from the end of the last paragraph."""
    last = block[-1] if len(block) else None
    if last is not None and last.tag == "a" and not (last.tail or "").strip() and leads_on(text_of(last)):
        last.drop_tree()
        last = block[-1] if len(block) else None
    if last is not None:
        last.tail = without_cut_mark(last.tail) if last.tail else last.tail
    elif block.text:
        block.text = without_cut_mark(block.text)


def _paragraphs(blocks: list[HtmlElement]) -> list[str]:
    """The text of each block; each item of a list and each paragraph of a quotation is one."""
    found: list[str] = []
    for block in blocks:
        inner = [child for child in block if child.tag not in INLINE]
        found += _paragraphs(inner) if inner else [text_of(block)]
    return [text for text in found if text]
