"""Wrapping text to columns as a terminal or a mail reader shows them, in any script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_WEB = re.compile(r"(?:https?://|mailto:)\S+")
_WIDE = 2
_ZERO = {"Mn", "Me", "Cf"}
# Chinese and Japanese break between any two characters, but not before closing marks nor after opening ones.
_CLOSING = frozenset("、。，．・：；？！）］｝〉》」』】〕〗〙〛”’％ー…‥ヽヾゝゞ々")
_OPENING = frozenset("（［｛〈《「『【〔〖〘〚“‘")


def char_width(char: str) -> int:
    """Columns one character takes: 2 for wide ones, 0 for marks that sit on their neighbour."""
    if char.isascii():
        return 1
    if unicodedata.category(char) in _ZERO:
        return 0
    return _WIDE if unicodedata.east_asian_width(char) in "WF" else 1


def text_width(text: str) -> int:
    """Columns a text takes."""
    return len(text) if text.isascii() else sum(map(char_width, text))


def wrapped(text: str, *, width: int = 72, first: str = "", rest: str = "") -> str:
    """`text` in lines of at most `width` columns, the first beginning with `first` and the others with `rest`.

    A word or a link that is longer than a line stays whole on a line of its own: a broken link is no link.
    """
    lines: list[str] = []
    line, used, empty = first, text_width(first), True
    for atom in _atoms(text):
        blank = 1 if atom.spaced and not empty else 0
        if not empty and used + blank + atom.width > width:
            lines.append(line)
            line, used, blank = rest, text_width(rest), 0
        line += " " * blank + atom.text
        used += blank + atom.width
        empty = False
    return "\n".join([*lines, line])


@dataclass(frozen=True, slots=True)
class _Atom:
    """What no line break may divide; `spaced` if a blank stood before it."""

    text: str
    spaced: bool
    width: int


def _atoms(text: str) -> Iterator[_Atom]:
    for word in text.split():
        spaced = True
        for piece in _pieces(word):
            yield _Atom(piece, spaced, text_width(piece))
            spaced = False


def _pieces(word: str) -> Iterator[str]:
    """A word cut wherever a wide character lets a line end; links and narrow scripts come back whole."""
    if word.isascii() or _WEB.match(word):
        yield word
        return
    piece, before = "", 0
    for char in word:
        now = char_width(char)
        if piece and _WIDE in {before, now} and _may_break(piece[-1], char):
            yield piece
            piece = ""
        piece += char
        before = now or before
    yield piece


def _may_break(left: str, right: str) -> bool:
    return char_width(right) > 0 and right not in _CLOSING and left not in _OPENING
