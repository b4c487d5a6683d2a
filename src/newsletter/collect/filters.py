"""An editor's filter on a feed: words, or `/regular expressions/`, looked for in what an entry says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from newsletter.errors import FeedError
from newsletter.model.feed import Feed
from newsletter.model.item import Entry

LONGEST_PATTERN = 200
# Expressions see the text a piece at a time, since their time may grow with its cube. Pieces overlap,
# so that no word falls between two.
_PIECE, _OVERLAP = 250, 50
_MOST_TEXT = 10_000
_MOST_OPEN_REPEATS = 2
_ESCAPE_OR_CLASS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


def refusal(entry: Entry, feed: Feed) -> str | None:
    """Why the feed's filter drops this entry, or None if it passes. FeedError for an expression that cannot be used."""
    texts = _looked_at(entry)
    include, exclude = feed.filter.include, feed.filter.exclude
    for word in exclude:
        if _matches(word, texts, feed.id):
            return f"excluded by the feed's filter: {word}"
    if include and not any(_matches(word, texts, feed.id) for word in include):
        return f"matches none of the feed's filter: {', '.join(include)}"
    return None


def fault_of(word: str) -> str | None:
    """What is wrong with one entry of a filter, or None. For `check` as well."""
    if not word.strip("/ "):
        return "is empty"
    if not _is_expression(word):
        return None
    pattern = word[1:-1]
    if len(pattern) > LONGEST_PATTERN:
        return f"has more than {LONGEST_PATTERN} characters"
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as exc:
        return f"is no regular expression: {exc}"
    return _slowness(pattern)


def _is_expression(word: str) -> bool:
    return len(word) > 1 and word.startswith("/") and word.endswith("/")


def _slowness(pattern: str) -> str | None:
    """Why an expression could take for ever: a repeat around a repeat or a choice, or many open repeats."""
    bare = _ESCAPE_OR_CLASS.sub("x", pattern)
    if re.search(r"\(\?P=|\(\?\(", bare) or re.search(r"\\[1-9]", pattern):
        return "may not refer back to a group"
    while inner := re.search(r"\((?:\?(?:P<\w*>|[a-zA-Z-]*:|<?[=!]))?([^()]*)\)([*+{]?)", bare):
        body, repeat = inner[1], inner[2]
        if repeat and re.search(r"[*+{|?§]", body):
            return "repeats a group that itself repeats or chooses; write it without that"
        mark = "§" * len(re.findall(r"[*+{§]", body)) or "x"
        bare = bare[: inner.start()] + mark + bare[inner.end() - len(repeat) :]
    opened = len(re.findall(r"[*+§]|\{\d*,\d*\}", bare))
    return None if opened <= _MOST_OPEN_REPEATS else f"has more than {_MOST_OPEN_REPEATS} repeats"


def _looked_at(entry: Entry) -> tuple[str, ...]:
    return (entry.headline, entry.dek, entry.byline, *entry.categories, *entry.text.split("\n\n"))


def _pieces(text: str) -> Iterator[str]:
    text = text[:_MOST_TEXT]
    for at in range(0, max(len(text) - _OVERLAP, 1), _PIECE - _OVERLAP):
        yield text[at : at + _PIECE]


def _matches(word: str, texts: tuple[str, ...], feed: str) -> bool:
    pattern = _compiled(word, feed)
    if _is_expression(word):
        return any(pattern.search(piece) for text in texts for piece in _pieces(text))
    return any(pattern.search(text) for text in texts)


@lru_cache(maxsize=1000)
def _compiled(word: str, feed: str) -> re.Pattern[str]:
    if fault := fault_of(word):
        raise FeedError(feed, f"filter {word!r} {fault}")
    if _is_expression(word):
        return re.compile(word[1:-1], re.IGNORECASE)
    folded = r"\s+".join(re.escape(part) for part in word.split())
    return re.compile(rf"(?<!\w){folded}(?!\w)", re.IGNORECASE)
