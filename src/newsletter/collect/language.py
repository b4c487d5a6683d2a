"""In which language and direction a text is written. What the letters show beats what a label says."""

from __future__ import annotations

import re

from newsletter.model.item import Direction

_TAG = re.compile(r"^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,4}$")
_RIGHT_TO_LEFT = frozenset("ar arc ckb dv fa he iw ks ku ps sd syr ug ur yi".split())
_HEBREW = re.compile("[\u0590-\u05ff]")
# Hebrew, Arabic, Syriac, Thaana, N'Ko and their neighbours, with the presentation forms that old systems write.
_LEFTWARD = re.compile("(?![\\d_])(?=\\w)[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_LETTER = re.compile(r"[^\W\d_]")
_ENOUGH = 2000
_SCRIPT, _REGION = 4, 2


def direction_of(text: str, language: str | None) -> Direction:
    """The direction most letters run in; of a text without letters, its language's."""
    leftward = len(_LEFTWARD.findall(text[:_ENOUGH]))
    rightward = len(_LETTER.findall(text[:_ENOUGH])) - leftward
    if leftward == rightward:
        return Direction.RTL if _runs_leftward(language) else Direction.LTR
    return Direction.RTL if leftward > rightward else Direction.LTR


def language_of(text: str, direction: Direction, *labels: str | None) -> str | None:
    """The first usable label (BCP 47) that fits the letters.

    A site whose system was never told its language says English over Arabic text: then the script's most common
    language is named rather than a wrong one.
    """
    leftward = direction is Direction.RTL
    for label in labels:
        tag = tidy_tag(label)
        if tag and _runs_leftward(tag) == leftward:
            return tag
    if not leftward:
        return None
    return "he" if _HEBREW.search(text[:_ENOUGH]) else "ar"


def _runs_leftward(language: str | None) -> bool:
    return (language or "").split("-")[0].lower() in _RIGHT_TO_LEFT


def tidy_tag(label: str | None) -> str | None:
    """A language tag spelt as BCP 47 recommends, None if it is none."""
    label = (label or "").strip()
    if not _TAG.match(label):
        return None
    first, *rest = re.split("[-_]", label)
    return "-".join([first.lower(), *map(_subtag, rest)])


def _subtag(part: str) -> str:
    if len(part) == _REGION:
        return part.upper()
    return part.title() if len(part) == _SCRIPT and part.isalpha() else part.lower()
