"""Editions, the moments they are due, and what was counted of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint

from newsletter.model.edition import EditionState
from newsletter.model.visit import Agent
from newsletter.store.tables.base import Base, Mapped, mapped_column
from newsletter.store.types import Id


class SlotRow(Base):
    """A moment a digest was due, keyed by local wall time: a repeated hour finds its row already there."""

    __tablename__ = "slots"

    digest_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    due_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    edition_id: Mapped[str | None] = mapped_column(String(150))
    because: Mapped[str | None] = mapped_column(Text)


class EditionRow(Base):
    """A frozen number of a digest. `draft` is what it was rendered from, as JSON."""

    __tablename__ = "editions"
    __table_args__ = (
        UniqueConstraint("list_id", "number"),
        UniqueConstraint("digest_id", "slot"),
        Index("ix_editions_frozen_at", "frozen_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(150), primary_key=True)
    digest_id: Mapped[str] = mapped_column(String(100))
    list_id: Mapped[str] = mapped_column(String(100))
    number: Mapped[int]
    state: Mapped[EditionState] = mapped_column(index=True)
    state_because: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    slot: Mapped[str] = mapped_column(String(32))
    dated_at: Mapped[datetime]
    frozen_at: Mapped[datetime]
    state_at: Mapped[datetime]
    template_hash: Mapped[str] = mapped_column(String(64))
    warnings: Mapped[str] = mapped_column(Text)
    draft: Mapped[str] = mapped_column(Text)


class FreezingRow(Base):
    """An edition whose recipients are not all written down yet: who are is said by the id of a subscriber. Or it was
    cancelled, and they are not all suppressed yet: then nobody is to come, and both ids are 0.

    `audience` is the draft without its pieces, `places` who gets which form; both as JSON.
    """

    __tablename__ = "freezings"

    edition_id: Mapped[str] = mapped_column(ForeignKey("editions.id"), primary_key=True)
    written_to: Mapped[int] = mapped_column(Id)
    last_id: Mapped[int] = mapped_column(Id)
    """The youngest subscriber there was when it was frozen."""
    queued_at: Mapped[datetime]
    audience: Mapped[str] = mapped_column(Text)
    places: Mapped[str | None] = mapped_column(Text)


class DocumentRow(Base):
    """A rendered form of an edition, with placeholders; most editions have the one variant ""."""

    __tablename__ = "documents"

    edition_id: Mapped[str] = mapped_column(ForeignKey("editions.id"), primary_key=True)
    variant: Mapped[str] = mapped_column(String(40), primary_key=True)
    rendered: Mapped[str] = mapped_column(Text)


class VariantRow(Base):
    """A form of an edition that some of its readers get instead of the whole, and how many were to get it.

    `document` names the documents that it is made from. Left out and shortened are stories, as JSON arrays of ids.
    """

    __tablename__ = "edition_variants"

    edition_id: Mapped[str] = mapped_column(ForeignKey("editions.id"), primary_key=True)
    variant: Mapped[str] = mapped_column(String(40), primary_key=True)
    document: Mapped[str] = mapped_column(String(40))
    text_only: Mapped[bool]
    language: Mapped[str | None] = mapped_column(String(35))
    left_out: Mapped[str] = mapped_column(Text)
    shortened: Mapped[str] = mapped_column(Text)
    readers: Mapped[int]
    spared: Mapped[int]
    """Of these readers, how many had been sent what is left out or shortened."""
    nearest: Mapped[int]
    """Of these readers, how many would have had a form of their own if there were no bound."""


class EditionItemRow(Base):
    """An item's place in an edition."""

    __tablename__ = "edition_items"

    edition_id: Mapped[str] = mapped_column(ForeignKey("editions.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), index=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id"), index=True)


class IssueRow(Base):
    """A story was issued on a list, by this edition: the row that keeps it from being issued again.

    No edition: it was passed over.
    """

    __tablename__ = "issues"

    list_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id"), primary_key=True)
    edition_id: Mapped[str | None] = mapped_column(ForeignKey("editions.id"), index=True)


class VisitRow(Base):
    """How often something of an edition was asked for: `url` a link, or empty for the edition itself."""

    __tablename__ = "visits"

    edition_id: Mapped[str] = mapped_column(ForeignKey("editions.id"), primary_key=True)
    url: Mapped[str] = mapped_column(Text, primary_key=True)
    agent: Mapped[Agent] = mapped_column(primary_key=True)
    times: Mapped[int]
