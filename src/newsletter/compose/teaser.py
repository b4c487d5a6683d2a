"""Teasers: the first paragraphs of an article, cut where a sentence ends."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace

from newsletter.compose.blocks import Block, Blocks, Kind, Run, reading_length, shortened
from newsletter.compose.sentences import sentence_ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much to show, in letters (see `reading_length`).

    `target` is what sentences must fit into; the first sentence alone may be longer, up to `limit`. Only a first
    sentence longer than that is cut inside, at a word.
    """

    target: int
    limit: int
    paragraphs: int

    def at_most(self, target: int) -> Budget:
        """The same with a smaller target."""
        return replace(self, target=max(1, min(self.target, target)))


# What partners' own pages show above "keep reading" is two or three paragraphs of 300 to 700 letters in all: half a
# minute to read. An excerpt is a minute and a half: what people read of an article before they decide about the rest.
TEASER = Budget(target=600, limit=900, paragraphs=3)
EXCERPT = Budget(target=1_500, limit=2_000, paragraphs=10)

# A few words of a paragraph, alone under a whole one, read like a mistake: a last part is a fifth of the target.
_FIFTH = 5


def cut(blocks: Blocks, budget: Budget, *, language: str | None = None) -> Blocks:
    """The beginning of an article within a budget.

    It is made of whole paragraphs and whole sentences, and ends neither in a subhead nor in a line that announces a
    list ("…:").
    """
    kept: list[Block] = []
    used = paragraphs = 0
    for block in blocks:
        if paragraphs == budget.paragraphs:
            break
        fitting = _fitting(block, budget, used=used, first=paragraphs == 0, language=language)
        if fitting is not None:
            kept.append(fitting)
            used += reading_length(fitting.text)
            paragraphs += block.kind is not Kind.HEADING
        if fitting is not block:
            break
    return _without_loose_end(kept)


def _fitting(block: Block, budget: Budget, *, used: int, first: bool, language: str | None) -> Block | None:
    """As much of the block as fits: the block itself, its first sentences, or None."""
    room = budget.target - used
    if reading_length(block.text) <= room:
        return block
    if block.kind is Kind.HEADING:
        return None
    ends = sentence_ends(block.text, language=language)
    fitting = [end for end in ends if end <= room and reading_length(block.text[:end]) <= room]
    if fitting and (first or reading_length(block.text[: fitting[-1]]) * _FIFTH >= budget.target):
        return _cut_at(block, fitting[-1])
    return _first_sentence(block, ends, limit=budget.limit) if first else None


def _first_sentence(block: Block, ends: tuple[int, ...], *, limit: int) -> Block:
    end = ends[0] if ends else len(block.text)
    if reading_length(block.text[:end]) <= limit:
        return _cut_at(block, end)
    cut_off = shortened(block, _last_gap(block.text, limit))
    return replace(cut_off, runs=(*cut_off.runs, Run("…", cut_off.runs[-1].marks)))


def _cut_at(block: Block, end: int) -> Block:
    return block if end >= len(block.text) else shortened(block, end)


def _last_gap(text: str, limit: int) -> int:
    """Where to cut a text that has no sentence short enough: at a word, or between two wide characters."""
    end = min(len(text), max(1, limit - 1))
    while end > 1 and reading_length(text[:end]) > limit - 1:
        end = max(1, end - 1 - (reading_length(text[:end]) - limit) // 2)
    gap = next((at for at in range(end, end // 2, -1) if text[at].isspace() or text[at - 1] in "，、；：،؛"), None)
    if gap is not None:
        return len(text[:gap].rstrip(" ,;:–—-，、；：،؛")) or gap
    while end > 1 and unicodedata.combining(text[end]):
        end -= 1
    return end


def _without_loose_end(blocks: list[Block]) -> Blocks:
    while blocks and blocks[-1].kind is Kind.HEADING:
        blocks.pop()
    if len(blocks) > 1 and blocks[-1].text.endswith((":", "：")):
        return _without_loose_end(blocks[:-1])
    return tuple(blocks)
