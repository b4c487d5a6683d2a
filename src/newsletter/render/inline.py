"""The door to premailer: style sheets become style attributes, because many mail readers drop the former."""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import Any, NoReturn

import cssutils
from lxml import etree, html
from premailer import Premailer

# premailer would also write these as attributes. Sides are wrong in right-to-left mail, sizes are the templates' own.
_NO_ATTRIBUTES = ["align", "valign", "width", "height"]
_BLANK_LINES = re.compile(r"[ \t\r\f]*\n\s*")
_BETWEEN = re.compile(r";\s+")
_CLASS = re.compile(r"\.([A-Za-z][\w-]*)")


def _refuse(url: str) -> NoReturn:
    raise ValueError(f"a style sheet may not import another: {url}")


class _Offline(Premailer):  # type: ignore[misc] # it ships no types
    """A premailer whose CSS parser cannot fetch: cssutils would follow `@import` by itself."""

    def _parse_css_string(self, css_body: str, validate: bool = True) -> Any:  # noqa: FBT001, FBT002 premailer's own
        parser = cssutils.CSSParser(validate=validate, fetcher=_refuse, loglevel=logging.CRITICAL)
        return parser.parseString(css_body)

    def _load_external(self, url: str) -> NoReturn:
        _refuse(url)

    def _parse_style_rules(self, css_body: str, ruleset_index: int) -> Any:
        return _rules(css_body, ruleset_index)


def _offline() -> _Offline:
    return _Offline(
        keep_style_tags=False,
        strip_important=False,
        allow_network=False,
        disable_validation=True,
        cache_css_parsing=False,
        disable_basic_attributes=_NO_ATTRIBUTES,
        align_floating_images=False,
    )


@lru_cache(maxsize=16)
def _rules(css_body: str, ruleset_index: int) -> Any:
    """A style sheet's rules, and those that cannot be inlined; neither is changed by whoever gets them.

    Templates keep their styles from edition to edition, and cssutils takes half of all rendering to read them.
    """
    return super(_Offline, _offline())._parse_style_rules(css_body, ruleset_index)


def inlined(page: str) -> str:
    """A whole page with its styles inlined, its needless classes and blanks gone, as UTF-8 text.

    `<style data-premailer="ignore">` is kept as it is: media queries and dark colours work from there only. UTF-8
    rather than character references, which take three times the bytes for Arabic; how it travels is chosen later.
    """
    tree = html.document_fromstring(page)
    _offline().transform(tree)
    _drop_unused_classes(tree)
    _drop_blanks(tree)
    for element in tree.iterfind(".//*[@style]"):
        element.set("style", _BETWEEN.sub(";", element.get("style", "")))
    # Spelt this way because nothing else switches all browsers to their standard mode.
    return str(etree.tostring(tree, method="html", encoding="unicode", doctype="<!DOCTYPE html>"))


def _drop_unused_classes(tree: html.HtmlElement) -> None:
    """A class that no kept style sheet names has done its work."""
    used = {name for style in tree.iter("style") for name in _CLASS.findall(style.text or "")}
    for element in tree.iter(etree.Element):
        if "class" in element.attrib:
            kept = [name for name in element.attrib["class"].split() if name in used]
            if kept:
                element.attrib["class"] = " ".join(kept)
            else:
                del element.attrib["class"]


def _drop_blanks(tree: html.HtmlElement) -> None:
    """Indentation is for who reads the template; it would be a tenth of the message."""
    for element in tree.iter():
        inside_pre = next(element.iterancestors("pre"), None) is not None
        if element.text and isinstance(element.tag, str) and not inside_pre and element.tag not in {"pre", "style"}:
            element.text = _BLANK_LINES.sub("\n", element.text)
        if element.tail and not inside_pre:
            element.tail = _BLANK_LINES.sub("\n", element.tail)
