"""What differs between two forms of an item, in words; a slip of the pen that was put right is not worth telling."""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher

from newsletter.collect.sketch import words
from newsletter.model.item import Entry
from newsletter.model.text import together

# More than this is a new sentence rather than a slip.
_MOST_SLIPS = 3
_SAME_WORD = 0.7
_LONGEST_WORD = 40


def changes(before: Entry, after: Entry) -> str | None:
    """What the reader of the earlier form does not know, or None if that is nothing.

    Spelling, punctuation, typography and paragraphs in another order are nothing. A changed number never is.
    """
    # Of an item that was completed from its page, what the feed itself says is what the hash is of.
    if before.content_hash and before.content_hash == after.content_hash:
        return None
    parts = (
        ("headline", before.headline, after.headline),
        ("dek", before.dek, after.dek),
        ("text", before.text, after.text),
    )
    return together(*(_told(name, *map(words, forms)) for name, *forms in parts))


def _told(name: str, before: tuple[str, ...], after: tuple[str, ...]) -> str | None:
    gone, come = Counter(before) - Counter(after), Counter(after) - Counter(before)
    if _slips(gone, come):
        return None
    if not before or not after:
        return f"{name} {'added' if after else 'left out'}"
    if name != "text":
        return f"{name} changed"
    return f"{name}: {gone.total()} words taken out, {come.total()} put in, of {len(before)}"


def _slips(gone: Counter[str], come: Counter[str]) -> bool:
    """Whether each word that came is one that went, spelt differently."""
    if gone.total() != come.total():
        return _same_letters(gone, come)
    if come.total() > _MOST_SLIPS:
        return False
    return all(
        _same_word(one, other) for one, other in zip(sorted(gone.elements()), sorted(come.elements()), strict=True)
    )


def _same_letters(gone: Counter[str], come: Counter[str]) -> bool:
    """Whether words were only written together or apart."""
    few = gone.total() + come.total() <= 2 * _MOST_SLIPS
    return few and sorted("".join(gone.elements())) == sorted("".join(come.elements()))


def _same_word(one: str, other: str) -> bool:
    if any(char.isdigit() for char in one + other):
        return False
    return SequenceMatcher(None, one[:_LONGEST_WORD], other[:_LONGEST_WORD]).ratio() >= _SAME_WORD
