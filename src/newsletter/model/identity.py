"""What a poll decided about each entry, for the store to write down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from newsletter.model.item import Entry, Item, ItemState, Key


class Verdict(StrEnum):
    """An entry is a new item, a changed one, or one we already have as it is."""

    NEW = "new"
    CHANGED = "changed"
    KNOWN = "known"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedEntry:
    """An entry with every key it goes by, strong ones first."""

    entry: Entry
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do with one entry.

    `item_id` is set unless new. `story_id` is the story a new item joins, None for a story of its own. `state` is the
    state of a new item. All keys of the entry become aliases of the item, whatever the verdict.
    """

    keyed: KeyedEntry
    verdict: Verdict
    item_id: int | None = None
    story_id: int | None = None
    state: ItemState = ItemState.ACCEPTED
    because: str | None = None
    changed: str | None = None
    """What differs, in words; set for a changed item, whose earlier form is kept as a revision."""


class Lookup(Protocol):
    """What is already stored, seen from inside the transaction that will write the decisions."""

    def by_keys(self, keys: tuple[Key, ...]) -> Mapping[Key, tuple[int, ...]]:
        """Item ids for each key that is known; keys nobody has are absent. `strong` plays no part in the look-up."""

    def items(self, ids: tuple[int, ...]) -> Mapping[int, Item]:
        """The items with these ids."""

    def parted(self, ids: tuple[int, ...]) -> Mapping[int, frozenset[int]]:
        """For each of these items the stories that an operator said it does not tell; items without any are absent."""

    def is_held(self, feed_id: str) -> bool:
        """Whether the feed waits for an operator."""

    def latest(self, feed_id: str, *, limit: int) -> tuple[Item, ...]:
        """A feed's newest items, by publication date and then id."""


Decide = Callable[[Lookup, tuple[KeyedEntry, ...]], tuple[Decision, ...]]
"""Pure but for its look-ups; may be called again if another writer came first."""
