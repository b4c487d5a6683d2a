"""Whether the braces of style sheets are in pairs. Nothing else says so: what follows a fault is dropped in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"""/\*.*?(?:\*/|\Z)|(["'])(?:\\.|(?!\1)[^\\\n])*(?:\1|\n|\Z)|[{};]""", re.DOTALL)
_AT_RULE = re.compile(r"(?:\s|/\*.*?\*/)*@", re.DOTALL)
_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style\s*>", re.DOTALL | re.IGNORECASE)
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_NOT_LINE_END = re.compile(r"[^\n]")

Fault = tuple[int, str]
"""A line, counted from 1, and what is wrong there."""


def sheet_fault(css: str) -> Fault | None:
    """The first thing in a style sheet that is opened and not closed, or closed and not opened."""
    found = _unpaired(css)
    return (css.count("\n", 0, found[0]) + 1, found[1]) if found else None


def template_fault(source: str) -> Fault | None:
    """The same for the style sheets inside a template, apart from what it puts into them."""
    page = _JINJA.sub(lambda match: _NOT_LINE_END.sub(" ", match.group()), source)
    for style in _STYLE.finditer(page):
        if (found := _unpaired(style[1])) is not None:
            return page.count("\n", 0, style.start(1) + found[0]) + 1, found[1]
    return None


def _unpaired(css: str) -> tuple[int, str] | None:
    """Where it is, in characters, and what."""
    open_at: list[tuple[int, bool]] = []
    for at, mark, prelude in _tokens(css):
        if mark == "{":
            if open_at and not open_at[-1][1]:
                return open_at[-1][0], "a { that is not closed before the next one"
            open_at.append((at, _AT_RULE.match(prelude) is not None))
        elif mark == "}":
            if not open_at:
                return at, "a } that closes nothing"
            open_at.pop()
        elif mark != ";":
            return at, f"a {'comment' if mark.startswith('/*') else 'text in quotes'} that is not closed"
    return (open_at[-1][0], "a { that is never closed") if open_at else None


def _tokens(css: str) -> Iterator[tuple[int, str, str]]:
    """Each brace and semicolon, and what lacks its end: where it is, and what stands between it and the last one."""
    since = 0
    for match in _TOKEN.finditer(css):
        mark = match.group()
        if mark in "{};":
            yield match.start(), mark, css[since : match.start()]
            since = match.end()
        elif not (mark.endswith("*/") if mark.startswith("/*") else mark.endswith(match[1]) and len(mark) > 1):
            yield match.start(), mark, ""
