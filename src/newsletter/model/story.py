"""The story that an item tells: who else tells it, why we think so, and where it was issued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from newsletter.model.item import Item, Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Why an item joined a story. One that was undone at once is a split: the item does not tell that story."""

    item_id: int
    story_id: int
    because: str
    merged_at: datetime
    undone_at: datetime | None = None

    @property
    def is_split(self) -> bool:
        """Whether this says that the item was parted from the story."""
        return self.undone_at == self.merged_at


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStory:
    """All that is known about an item besides its text. `sources` are the story's other items."""

    item: Item
    keys: tuple[Key, ...]
    sources: tuple[Item, ...]
    merges: tuple[Merge, ...]
    """Of this item and of its sources, oldest first."""
    issued: tuple[tuple[str, str | None], ...]
    """(list id, edition id) of the story; no edition where it was passed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regrouped:
    """What a merge or a split did: the items that tell another story now, and which. None if nothing was to be done."""

    story_id: int
    items: tuple[int, ...]
