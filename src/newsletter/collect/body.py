"""What goes into a reading and what comes out of it: values alone, so that whoever only polls loads no reader."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from newsletter.model.feed import Announced, Feed
from newsletter.model.identity import KeyedEntry

KnownDigests = Callable[[Collection[str]], frozenset[str]]
"""Which of these digests some item of the feed has: `Feeds.known_digests` with its feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What came for a feed. `url` is where it came from in the end, `content_type` the header's value."""

    feed: Feed
    content: bytes
    url: str
    content_type: str = ""
    link: str = ""
    """The Link header's value, if there was one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The page of an article of a feed. `url` is where it came from in the end."""

    feed: str
    content: bytes
    url: str
    content_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """What a document says: entries that may be new or changed, how many are known by their bytes, and hints."""

    entries: tuple[KeyedEntry, ...] = ()
    known: int = 0
    title: str = ""
    homepage: str = ""
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    lasts: timedelta | None = None
    """How long the document says that it stays as it is."""
    hub: Announced | None = None
    """The hub that it or its headers name."""
    listed: tuple[str, ...] = ()
    """The digests of all its entries, in its order; none where they cannot be told."""
    cut_after: int | None = None
    """Where the document breaks off: how many entries it has whole before. None for one that is there to its end."""
