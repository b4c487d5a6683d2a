"""What is remembered of feeds, and how a poll ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from newsletter.model.feed import FeedHealth
from newsletter.model.identity import Decide, Decision, KeyedEntry
from newsletter.model.item import Item, ItemState, PollReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """A feed that somebody wants to poll, from `now` until the lease ends."""

    feed_id: str
    url: str
    now: datetime
    lease: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What a poll brought, to be decided about and written down; `record_items` says what the parts are."""

    health: FeedHealth
    entries: tuple[KeyedEntry, ...]
    decide: Decide
    now: datetime
    listed: Sequence[str] | None = ()
    conclude: Callable[[FeedHealth, tuple[Decision, ...]], FeedHealth] = lambda health, _: health


class Feeds(Protocol):
    """Feeds' health, and the one transaction that ends a poll."""

    def health(self, feed_id: str) -> FeedHealth | None:
        """What is remembered of a feed, None if it was never asked."""

    def each_health(self) -> Iterator[FeedHealth]:
        """Every feed ever asked, by id, read in pages."""

    def take(self, takes: Sequence[Take]) -> tuple[FeedHealth | None, ...]:
        """Take feeds for polling in one transaction: the health of each, or None where another worker has it.

        A feed unknown so far is added with its URL. What is kept later carries the fence of what was taken; if the
        lease ran out and another took the feed meanwhile, it is not written.
        """

    def record_unchanged(self, *healths: FeedHealth) -> None:
        """Keep polls that brought no items (304, same body, an error) and give the leases back, in one transaction."""

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

    def record(self, polls: Sequence[Brought]) -> tuple[PollReport, ...]:
        """`record_items` of several polls in one transaction. Each sees what those before it found to be new."""

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
