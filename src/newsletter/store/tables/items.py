"""Items, their names and the stories they tell."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint

from newsletter.model.item import Direction, ItemState, KeyKind
from newsletter.store.tables.base import Base, Mapped, mapped_column, partial_index
from newsletter.store.types import Id


class StoryRow(Base):
    """The same piece from one or more feeds. Only an identity: everything known about it is in its items."""

    __tablename__ = "stories"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    created_at: Mapped[datetime]


class ItemRow(Base):
    """One thing read from a feed, in its latest form."""

    __tablename__ = "items"
    __table_args__ = (
        Index("ix_items_feed_id_source_digest", "feed_id", "source_digest"),
        # Has all that the search for candidates asks about, so that it reads no item but those it brings back.
        Index("ix_items_candidates", "state", "feed_id", "dated_at", "id", "story_id"),
        Index("ix_items_feed_id_dated_at", "feed_id", "dated_at"),
        Index("ix_items_dated_at", "dated_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    feed_id: Mapped[str] = mapped_column(ForeignKey("feeds.id"))
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id"), index=True)
    state: Mapped[ItemState]
    guid: Mapped[str | None] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    headline: Mapped[str] = mapped_column(Text)
    dek: Mapped[str] = mapped_column(Text)
    byline: Mapped[str] = mapped_column(Text)
    section_line: Mapped[str] = mapped_column(Text)
    categories: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    image: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(35))
    direction: Mapped[Direction]
    published_at: Mapped[datetime | None]
    updated_at: Mapped[datetime | None]
    dated_at: Mapped[datetime]
    content_hash: Mapped[str] = mapped_column(String(64))
    source_digest: Mapped[str] = mapped_column(String(64))
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]
    because: Mapped[str | None] = mapped_column(Text)
    retracted_from: Mapped[ItemState | None]


class RevisionRow(Base):
    """The form an item had before it changed. Each form is kept once, however often two of them take turns."""

    __tablename__ = "item_revisions"
    __table_args__ = (UniqueConstraint("item_id", "content_hash"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    changed_at: Mapped[datetime]
    because: Mapped[str] = mapped_column(Text)
    headline: Mapped[str] = mapped_column(Text)
    dek: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(String(64))


class AliasRow(Base):
    """One name of an item. Never deleted. A strong one names a single item; a weak one may name many."""

    __tablename__ = "aliases"
    __table_args__ = (
        partial_index(
            "ux_aliases_strong",
            "kind",
            "scope",
            "value",
            unique=True,
            where="strong",
        ),
    )

    kind: Mapped[KeyKind] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(String(100), primary_key=True)
    value: Mapped[str] = mapped_column(String(200), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True, index=True)
    strong: Mapped[bool]


class MergeRow(Base):
    """Why an item joined another item's story. A merge that was undone keeps its row."""

    __tablename__ = "merges"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), index=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id"), index=True)
    because: Mapped[str] = mapped_column(Text)
    merged_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
