"""Feeds, and what they listed last."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, text

from newsletter.model.feed import FeedState
from newsletter.store.tables.base import Base, Mapped, mapped_column


class FeedRow(Base):
    """What we remember of one feed between polls."""

    __tablename__ = "feeds"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    state: Mapped[FeedState]
    etag: Mapped[str | None] = mapped_column(Text)
    last_modified: Mapped[str | None] = mapped_column(Text)
    body_hash: Mapped[str | None] = mapped_column(String(64))
    last_status: Mapped[int | None]
    last_try_at: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    next_poll_at: Mapped[datetime | None]
    not_before_at: Mapped[datetime | None]
    failures: Mapped[int]
    because: Mapped[str | None] = mapped_column(Text)
    leased_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(server_default=text("0"))
    habits: Mapped[str | None] = mapped_column(Text)
    """What was learned of the feed, as JSON: nothing asks the database about it."""


class WindowRow(Base):
    """The items of a feed's last document, in its order, and those that were gone from its middle: ids, as JSON."""

    __tablename__ = "windows"

    feed_id: Mapped[str] = mapped_column(ForeignKey("feeds.id"), primary_key=True)
    item_ids: Mapped[str] = mapped_column(Text)
    missing: Mapped[str] = mapped_column(Text)
