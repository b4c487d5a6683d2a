"""Items, and the stories they tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from newsletter.model.item import Item, ItemState, Revision
from newsletter.model.story import ItemStory, Regrouped


class Items(Protocol):
    """Items and the stories they tell."""

    def listed(
        self, *, feed_id: str | None = None, state: ItemState | None = None, limit: int = 500
    ) -> tuple[Item, ...]:
        """Items newest first, by publication date and then id."""

    def candidates(self, *, list_id: str, feed_ids: Collection[str], limit: int = 1000) -> tuple[Item, ...]:
        """Accepted items of these feeds, newest first, whose story (and which themselves) were never issued on the
        list. Older ones than the first `limit` wait: they are candidates still when those have been issued.
        """

    def told(self, digest_id: str, *, weekly_id: str, since: datetime) -> tuple[Item, ...]:
        """The items that the digest's editions let go since then have shown, newest first; without those withdrawn and
        stories that an edition of the digest `weekly_id` has told before.
        """

    def sources(self, story_ids: Collection[int]) -> Mapping[int, tuple[Item, ...]]:
        """For each story all its items that are not retracted, oldest first by publication."""

    def revisions(self, item_ids: Collection[int]) -> Mapping[int, tuple[Revision, ...]]:
        """The earlier forms of those items that changed, oldest first."""

    def pass_over(self, *, list_id: str, story_ids: Collection[int]) -> int:
        """Let stories count as issued on the list although no edition has them (`when_few = "skip"`).

        Returns how many were not issued before; other lists are not touched.
        """

    def move(self, item_ids: Collection[int], after: ItemState, *, because: str, now: datetime) -> int:
        """Move items to a state where ITEM_MOVES allows it; returns how many moved."""


class Stories(Protocol):
    """Which items are the same piece, as an operator decides it."""

    def about(self, item_id: int) -> ItemStory:
        """All that is known about an item besides its text, or NotFoundError."""

    def merge(self, item_ids: Sequence[int], *, because: str, now: datetime) -> Regrouped | None:
        """Let these items, and all that tell the same stories, tell the story of the first; None if they do.

        It counts as issued on every list on which one of the stories did. NotFoundError if there is no such item.
        """

    def split(self, item_id: int, *, because: str, now: datetime) -> Regrouped | None:
        """Part an item from those that tell its story; None if no other does. NotFoundError if there is no such item.

        What was shown stays issued; what was only hidden by it may be issued. Where editions showed this item alone
        it keeps the story, and the others get a new one. Polls do not put them together again.
        """
