"""Where sentences end, in any script.

A cut in the wrong place is worse than one too late, so whatever is doubtful is no end.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from newsletter.compose.abbreviations import BEFORE_NUMBERS, OFTEN_LAST, ORDINAL_LANGUAGES, STARTERS, TITLES

_CLOSERS = "\"'”’“‘»›)\\]}」』】）》〉｣〕］"
_STOPS = ".!?…؟۔।॥።፧։‽។။⁇⁈⁉"
# Possessive, and never begun inside a run of stops: a page of dots must not be walked through from every dot.
_STOP = re.compile(
    # Scripts with blanks between sentences: Latin, Cyrillic, Arabic, Devanagari, Ethiopic, Armenian, Khmer …
    rf"(?<![{_STOPS}])(?P<stop>[{_STOPS}]++)(?:[\u00a0\u202f]?[{_CLOSERS}])*+(?:\[\d{{1,3}}\])*+(?=\s|$)"
    # … and those without.
    rf"|(?P<wide>[。！？｡．]+)(?P<wide_close>[{_CLOSERS}]*)"
)
_WORD_BEFORE = re.compile(r"[^\s()\[\]{}“”„«»\"'‘—–/]+$")
_WORD_AFTER = re.compile(r"[\s“”„«»\"'‘’(\[¿¡]*([^\s“”„«»\"'‘’()\[\],.;:!?]*)")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}")
_PAIRS = {"“": "”", "„": "“", "«": "»", "(": ")", "[": "]", "「": "」", "『": "』", "（": "）", "《": "》"}
_PAIRED = re.compile("[" + re.escape("".join({*_PAIRS, *_PAIRS.values()})) + "]")
_LONGEST_PAIR = 400
_DEEPEST = 20
_LIST_NUMBER = 3
_ORDINAL = 2
_LOOK_BACK = 40


def sentence_ends(text: str, *, language: str | None = None) -> tuple[int, ...]:
    """Offsets just behind each sentence, closing quotes and brackets included, in rising order.

    The last is the end of the text if it ends like a sentence. Inside a quotation or bracket that is not too long there
    is none: half a quotation is not a sentence.
    """
    closed = _Closed(text)
    ordinals = (language or "").partition("-")[0].lower() in ORDINAL_LANGUAGES
    return tuple(
        found.end()
        for found in _STOP.finditer(text)
        if not closed.inside(found.end()) and _ends(text, found, ordinals=ordinals)
    )


class _Closed:
    """The spans of a text between paired quotes and brackets."""

    def __init__(self, text: str) -> None:
        waiting: list[tuple[str, int]] = []
        spans: list[tuple[int, int]] = []
        for found in _PAIRED.finditer(text):
            char, at = found[0], found.start()
            closes = next((n for n in range(len(waiting) - 1, -1, -1) if waiting[n][0] == char), None)
            if closes is not None:
                spans.append((waiting[closes][1], at + 1))
                del waiting[closes:]
            elif char in _PAIRS:
                waiting = [*waiting[-_DEEPEST:], (_PAIRS[char], at)]
        spans.extend(_straight_quotes(text))
        self._spans = sorted(span for span in spans if span[1] - span[0] <= _LONGEST_PAIR)
        self._starts = [start for start, _ in self._spans]

    def inside(self, offset: int) -> bool:
        before = bisect_right(self._starts, offset - 1)
        near = self._spans[max(0, before - _LOOK_BACK) : before]
        return any(start < offset < end for start, end in near)


def _straight_quotes(text: str) -> list[tuple[int, int]]:
    at = [found.start() for found in re.finditer('"', text)]
    return [(start, end + 1) for start, end in zip(at[::2], at[1::2], strict=False)]


def _ends(text: str, found: re.Match[str], *, ordinals: bool) -> bool:
    rest = text[found.end() : found.end() + 60]
    if found["wide"]:
        # 「…。」と言った goes on: behind a closing bracket only a blank, an opening one or the end is sure.
        return not found["wide_close"] or not rest or rest[0].isspace() or rest[0] in _PAIRS
    after = _WORD_AFTER.match(rest)
    word = after[1] if after else ""
    if word[:1].islower():
        return False
    stop, start = found["stop"], found.start()
    if stop != ".":
        # A blank before dots says that words were left out: "paid … [and] left".
        return not (stop[0] in ".…" and (start == 0 or text[start - 1].isspace()) and rest.strip())
    before = _WORD_BEFORE.search(text, max(0, start - _LOOK_BACK), start)
    return _stop_ends(
        before[0] if before else "", word, starts_text=start <= len(before[0] if before else ""), ordinals=ordinals
    )


def _stop_ends(before: str, after: str, *, starts_text: bool, ordinals: bool) -> bool:
    """Whether a full stop between two words ends a sentence. No word after it means the end of the text, or a sign."""
    if not before:
        return not starts_text
    if before.isdigit():
        return not (starts_text and len(before) <= _LIST_NUMBER) and not (
            ordinals and len(before) <= _ORDINAL and after
        )
    if before in TITLES:
        return False
    if before in BEFORE_NUMBERS:
        return not after[:1].isdigit()
    short = len(before) == 1 and before.isalpha() and before.lower() not in {"y", "ф"}
    if short or _DOTTED.fullmatch(before) or before in OFTEN_LAST:
        return after in STARTERS or not after
    return True
