"""What is remembered of feeds, and how a poll ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Protocol

from newsletter.model.feed import FeedHealth
from newsletter.model.identity import Decide, Decision, KeyedEntry
from newsletter.model.item import Item, ItemState, PollReport


class Feeds(Protocol):
    """Feeds' health, and the one transaction that ends a poll."""

    def health(self, feed_id: str) -> FeedHealth | None:
        """What is remembered of a feed, None if it was never asked."""

    def each_health(self) -> Iterator[FeedHealth]:
        """Every feed ever asked, by id, read in pages."""

    def take(self, feed_id: str, *, url: str, now: datetime, lease: timedelta) -> Future[FeedHealth | None]:
        """Take a feed for polling, or None if another worker has it. A feed unknown so far is added with `url`.

        One thread does it soon: what many ask at the same time is committed together. What is kept later carries the
        fence of what was taken; if the lease ran out and another took the feed meanwhile, it is not written.
        """

    def record_unchanged(self, health: FeedHealth) -> None:
        """Keep a poll that brought no items (304, same body, an error) and give the lease back."""

    def keep(self, health: FeedHealth) -> Future[None]:
        """`record_unchanged`, soon, by the thread of `take`. It cannot be taken back."""

    def record_items(
        self,
        health: FeedHealth,
        entries: tuple[KeyedEntry, ...],
        decide: Decide,
        *,
        now: datetime,
        listed: Sequence[str] | None = (),
        conclude: Callable[[FeedHealth, tuple[Decision, ...]], FeedHealth] = ...,
    ) -> PollReport:
        """Decide about each entry and write items, aliases and `health` (with its validators) in one transaction.

        `decide` runs inside the write transaction, so two workers can never both find the same piece new; `conclude`
        may change the health for what was decided. The report counts verdicts; its `status` and `because` come from
        the health. Gives the lease back.

        `listed` are the digests of all the document's entries in its order, of known ones too: an item that is gone
        from the middle of it is retracted at the second poll, one that is back is what it was before. None for a
        document that is only a part: nothing is concluded from what is not in it. If decisions hold items, the feed
        is held. FeedError, and nothing is written, if another took the feed meanwhile.
        """

    def foreseen(self, entries: tuple[KeyedEntry, ...], decide: Decide) -> tuple[tuple[Decision, Item | None], ...]:
        """What would be decided about the entries at this moment, and the items that they are; nothing is written."""

    def doubtful(self) -> frozenset[str]:
        """Feeds from the middle of whose list something was gone at the last poll: ask `listed_again` of these."""

    def listed_again(self, feed_id: str) -> int:
        """Know that a feed lists what it listed last; returns how many items are retracted as missing a second time."""

    def release(self, feed_id: str, after: ItemState, *, because: str) -> int:
        """Move a feed's held items on and let the feed go its way again; returns how many items moved."""

    def known_digests(self, feed_id: str, digests: Collection[str]) -> frozenset[str]:
        """Those of `digests` that are some item's `source_digest` in this feed."""
