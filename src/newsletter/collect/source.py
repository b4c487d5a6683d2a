"""What a feed said, before we made anything of it: as feedparser tells it, and as the XML has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from newsletter.model.item import Image

HUB_LINKS = frozenset({"hub", "self"})
"""The relations by which a document names its hub, and what it is called there (WebSub section 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text construct: `markup` is false for plain text; `base` is what its relative links are relative to."""

    value: str
    markup: bool = True
    base: str = ""
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEntry:
    """One entry as feedparser reads it. `tags` are (term, scheme) pairs, instants are UTC."""

    guid: str | None
    link: str
    title: Text
    summary: Text | None = None
    content: Text | None = None
    alternative: str = ""
    authors: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    published_at: datetime | None = None
    updated_at: datetime | None = None
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFeed:
    """A whole document as feedparser reads it."""

    version: str
    title: str
    homepage: str
    """The page that it says it is the feed of, as it writes it; empty without one."""
    language: str | None
    entries: tuple[RawEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEntry:
    """What the XML of an entry says and feedparser loses. `images` are best first."""

    digest: str
    guid: str | None = None
    images: tuple[Image, ...] = ()
