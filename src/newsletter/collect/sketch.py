"""How alike two texts are: their phrases (runs of four words), and a sketch of phrases small enough to look up by.

The measure is containment: how much of the shorter text stands in the longer one. Two reports of one event share names
and a quotation, a tenth of their phrases at the most; a republication with new headline and lead keeps four fifths.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from newsletter.model.text import spelled

PHRASE_WORDS = 4
SKETCH_SIZE = 6
LEAD_SKETCH_SIZE = 3
LEAD_WORDS = 60
# Longer texts are compared by their beginning: hostile ones may not cost seconds.
MOST_WORDS = 6000
# Chinese, Japanese and Thai are written without spaces: there each character stands for a word.
_WORD = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\W_]+")


def words(text: str) -> tuple[str, ...]:
    """The words of a text without case, punctuation or typographic variants."""
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


@lru_cache(maxsize=64)
def phrases(text: str) -> frozenset[int]:
    """Every run of four words in the text, as numbers that mean something within this process."""
    found = words(text)[:MOST_WORDS]
    return frozenset(map(hash, zip(*(found[at:] for at in range(PHRASE_WORDS)), strict=False)))


def sketch(text: str) -> tuple[str, ...]:
    """A few hashes by which a copy of the text can be found: the smallest of all phrases, and the smallest of the lead.

    Copies that share half of their phrases share one of six with a probability of 98 %. The lead has three of its own,
    so that a feed that carries only the beginning is found too. Under ten phrases there is none: it would find chance.
    """
    found = words(text)[:MOST_WORDS]
    whole = _smallest(found, SKETCH_SIZE)
    return tuple(dict.fromkeys(whole + _smallest(found[:LEAD_WORDS], LEAD_SKETCH_SIZE)))


def _smallest(found: tuple[str, ...], size: int) -> tuple[str, ...]:
    runs = {" ".join(found[at : at + PHRASE_WORDS]) for at in range(len(found) - PHRASE_WORDS + 1)}
    if len(runs) < FEWEST_PHRASES:
        return ()
    return tuple(sorted(hashlib.blake2b(run.encode(), digest_size=8).hexdigest() for run in runs)[:size])


FEWEST_PHRASES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What two pieces share: `share` is of the shorter text's `phrases`; the other is `stretch` times longer."""

    headline: float
    share: float
    phrases: int
    stretch: float
    same_author: bool = False

    @property
    def shared(self) -> int:
        """How many phrases the two have in common."""
        return round(self.share * self.phrases)

    @property
    def words(self) -> str:
        """The share as an editor reads it."""
        return f"{round(self.share * 100)} % of {self.phrases} phrases"


def likeness(
    *,
    headlines: tuple[str, str],
    texts: tuple[str, str],
    bylines: tuple[str, str] = ("", ""),
    boilerplate: frozenset[int] = frozenset(),
) -> Likeness:
    """Compare two pieces by headline (words in common), text (phrases in common that are not `boilerplate`), author."""
    one, other = (phrases(text) - boilerplate for text in texts)
    fewer, more = sorted((len(one), len(other)))
    return Likeness(
        headline=_overlap(set(words(headlines[0])), set(words(headlines[1]))),
        share=len(one & other) / fewer if fewer else 0.0,
        phrases=fewer,
        stretch=more / fewer if fewer else 0.0,
        same_author=bool(bylines[0]) and spelled(bylines[0]) == spelled(bylines[1]),
    )


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0


def same_text(found: Likeness) -> bool:
    """Whether this much in common makes two items of different feeds the same piece.

    The less text there is, the more must agree, since short texts are alike by chance and by formula. Where one is
    far longer, it may be a roundup that quotes the other: the headline must agree as well.
    """
    if found.phrases < FEWEST_PHRASES:
        return False
    if found.stretch > LONGEST_STRETCH:
        return found.share >= NEARLY_ALL and found.headline >= ALIKE
    if found.shared >= (BEYOND_A_NOTE if found.same_author else BEYOND_AN_IMPRINT):
        return found.share >= MOST
    if found.phrases >= MANY_PHRASES:
        return found.share >= NEARLY_ALL_OF_MANY
    if found.phrases >= SOME_PHRASES:
        return found.share >= NEARLY_ALL
    return found.share >= NEARLY_ALL and found.headline >= ALIKE


LONGEST_STRETCH = 2.5
# An imprint or a standing background that is in each piece of a partner is rarely longer.
BEYOND_AN_IMPRINT = 120
# Two partners who name the same author share no imprint; what is left is a note about that author.
BEYOND_A_NOTE = 45
MANY_PHRASES = 60
NEARLY_ALL_OF_MANY = 0.8
SOME_PHRASES = 25
MOST = 0.6
NEARLY_ALL = 0.9
ALIKE = 0.5
