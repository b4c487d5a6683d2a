"""An item's link, looked at to see whether its publisher has taken the piece down."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLink:
    """Where an item leads."""

    item_id: int
    feed_id: str
    url: str


class LinkVerdict(StrEnum):
    """The page is there; its server says that it is gone; or nothing can be said."""

    THERE = "there"
    GONE = "gone"
    UNKNOWN = "unknown"
