"""One thing read from a feed, the names it goes by, and the story it tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from newsletter.model.moves import Moves


class ItemState(StrEnum):
    """accepted: may be issued; known: seen at a first poll, not news; held: waits for an operator;
    dropped: filtered out; retracted: withdrawn by its publisher.
    """

    ACCEPTED = "accepted"
    KNOWN = "known"
    HELD = "held"
    DROPPED = "dropped"
    RETRACTED = "retracted"


ITEM_MOVES: Moves[ItemState] = Moves(
    "item",
    {
        ItemState.ACCEPTED: {ItemState.RETRACTED, ItemState.DROPPED},
        ItemState.HELD: {ItemState.ACCEPTED, ItemState.KNOWN, ItemState.DROPPED, ItemState.RETRACTED},
        ItemState.KNOWN: {ItemState.ACCEPTED, ItemState.RETRACTED},
        ItemState.DROPPED: {ItemState.ACCEPTED, ItemState.RETRACTED},
        # Published again: as it was before.
        ItemState.RETRACTED: {ItemState.ACCEPTED, ItemState.KNOWN, ItemState.HELD, ItemState.DROPPED},
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture with its caption and photo credit, all plain text but `url`; empty where unknown."""

    url: str
    caption: str = ""
    credit: str = ""
    alt: str = ""
    width: int | None = None
    height: int | None = None


class Direction(StrEnum):
    """Writing direction of a text, as HTML's `dir` attribute spells it."""

    LTR = "ltr"
    RTL = "rtl"


class KeyKind(StrEnum):
    """Kinds of names an item goes by, strongest first.

    Scope is the feed for the first three and for a strong link, else everywhere.
    """

    GUID = "guid"
    BARE_GUID = "bare-guid"
    POST_ID = "post-id"
    LINK = "link"
    LINK_PATH = "link-path"
    TITLE_DAY = "title-day"
    SKETCH = "sketch"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One alias of an item. A strong key decides identity alone; a weak one only nominates.

    `scope` is a feed id, or "" for keys that hold across feeds. `value` is at most 200 characters
    (longer ones are hashed where they are made).
    """

    kind: KeyKind
    scope: str
    value: str
    strong: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a feed says about one item, cleaned and made absolute: safe to store, show and put into a header.

    `html` is sanitised (no script, style, event, form, data: or javascript: link); `text` is its visible text,
    paragraphs separated by blank lines. All short fields are single-line plain text without control or bidi characters.
    """

    guid: str | None
    url: str
    headline: str
    dek: str = ""
    byline: str = ""
    section_line: str = ""
    categories: tuple[str, ...] = ()
    html: str = ""
    text: str = ""
    image: Image | None = None
    language: str | None = None
    direction: Direction = Direction.LTR
    published_at: datetime | None = None
    updated_at: datetime | None = None
    content_hash: str = ""
    """Over headline, dek and visible text: markup, image addresses and tracking do not change it."""
    source_digest: str = ""
    """Over the raw XML of the entry: equal bytes need no parsing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A stored entry. Items of one story are the same piece from one or more feeds."""

    id: int
    feed_id: str
    story_id: int
    state: ItemState
    entry: Entry
    first_seen_at: datetime
    changed_at: datetime | None = None
    because: str | None = None
    """Why it has this state or belongs to this story, in words; None where nothing was decided."""

    @property
    def dated_at(self) -> datetime:
        """When it was published, or first seen where the feed gives no believable date."""
        return self.entry.published_at or self.first_seen_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The form an item had before it changed. `because` says what changed, in words."""

    item_id: int
    changed_at: datetime
    because: str
    headline: str
    dek: str
    text: str
    content_hash: str
    issued_in: tuple[str, ...] = ()
    """Editions that had been frozen with the item by then: who read this form is owed the correction."""


@dataclass(slots=True, kw_only=True)  # made for each feed that is asked: frozen ones take three times as long
class PollReport:
    """What one poll of one feed did. `status` is the HTTP status, 304 for an unchanged body, None if not asked."""

    feed: str
    status: int | None = None
    new: int = 0
    changed: int = 0
    known: int = 0
    held: int = 0
    retracted: int = 0
    failed: bool = False
    """The feed was asked and did not give what it should; `because` says what."""
    because: str | None = None
