"""An article as a flat row of blocks, whose words are runs of text under marks.

Flat, because then a text can be cut at any character and still be written with balanced markup: tags are made again
from the marks, never carried over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6"
    "\U0001f300-\U0001faff\U00020000-\U0003fffd]"
)


class Kind(StrEnum):
    """What a block is. A list is a row of items, a quotation a row of blocks with `quote` set."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEM = "item"


@dataclass(frozen=True, slots=True)
class Mark:
    """An inline element around a run; `href` for links only."""

    tag: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Text under the same marks, outermost first. A line break is a line feed."""

    text: str
    marks: tuple[Mark, ...] = ()


Runs = tuple[Run, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block. `level` is a heading's (1 to 6) or a list item's depth (from 0); `number` is an ordered item's.

    `direction` is set where the markup gives one.
    """

    kind: Kind = Kind.PARAGRAPH
    runs: Runs = ()
    level: int = 0
    number: int | None = None
    quote: bool = False
    direction: str = ""

    @property
    def text(self) -> str:
        """The words without marks."""
        return text_of(self.runs)


Blocks = tuple[Block, ...]


def text_of(runs: Runs) -> str:
    """The words of runs, without marks."""
    return "".join(run.text for run in runs)


def shortened(block: Block, end: int) -> Block:
    """The block's first `end` characters, without white space at the end."""
    return replace(block, runs=stripped(first_characters(block.runs, end)))


def first_characters(runs: Runs, end: int) -> Runs:
    """Runs cut after `end` characters."""
    kept: list[Run] = []
    for run in runs:
        if end <= 0:
            break
        kept.append(replace(run, text=run.text[:end]))
        end -= len(run.text)
    return tuple(kept)


def without_first(runs: Runs, start: int) -> Runs:
    """Runs without their first `start` characters."""
    kept: list[Run] = []
    for run in runs:
        if start < len(run.text):
            kept.append(replace(run, text=run.text[max(start, 0) :]))
        start -= len(run.text)
    return tuple(kept)


def stripped(runs: Runs) -> Runs:
    """Runs without white space at either end."""
    text = text_of(runs)
    lead = len(text) - len(text.lstrip())
    return without_first(first_characters(runs, len(text.rstrip())), lead)


def reading_length(text: str) -> int:
    """How much there is to read, in letters of an alphabet: a wide (Chinese, Japanese, Korean) one counts two."""
    return len(text) + len(_WIDE.findall(text))


def blocks_length(blocks: Blocks) -> int:
    """How much there is to read in all blocks."""
    return sum(reading_length(block.text) for block in blocks)
