"""Deliveries and letters."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint

from newsletter.model.delivery import DeliveryState
from newsletter.model.message import LetterKind
from newsletter.store.tables.base import Base, Mapped, mapped_column, partial_index
from newsletter.store.types import Id


class LedgerColumns:
    """What a delivery and a letter share: a state, its lease and fence, and the last that was said about it."""

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    state: Mapped[DeliveryState]
    due_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    begun_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    attempts: Mapped[int]
    fence: Mapped[int]
    owner: Mapped[str | None] = mapped_column(String(100))
    leased_until: Mapped[datetime | None]
    waits_for: Mapped[str | None] = mapped_column(String(255))
    """The provider that it waits for a turn with, while that is held back; null where nothing is."""
    relay: Mapped[str | None] = mapped_column(String(100))
    code: Mapped[int | None]
    enhanced: Mapped[str | None] = mapped_column(String(20))
    reply: Mapped[str | None] = mapped_column(Text)
    because: Mapped[str | None] = mapped_column(Text)


class DeliveryRow(LedgerColumns, Base):
    """One edition on its way to one subscriber. The pair is unique: that is promise 1.

    No foreign keys: rows are selected out of the tables that they would point to, from which nobody is deleted who
    ever was a recipient, and to check a million of them again is most of the time that freezing takes on PostgreSQL.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        # The edition first: what is frozen then stands together, however many editions there were before it.
        UniqueConstraint("edition_id", "subscriber_id"),
        Index("ix_deliveries_edition_id_state_due_at", "edition_id", "state", "due_at"),
        partial_index(
            "ix_deliveries_owned",
            "owner",
            where="owner IS NOT NULL",
        ),
        partial_index(
            "ix_deliveries_waiting",
            "waits_for",
            "edition_id",
            where="waits_for IS NOT NULL",
        ),
        {"sqlite_autoincrement": True},
    )

    edition_id: Mapped[str] = mapped_column(String(150))
    subscriber_id: Mapped[int] = mapped_column(Id)
    subscription_id: Mapped[int] = mapped_column(Id)
    variant: Mapped[str] = mapped_column(String(40))


class LetterRow(LedgerColumns, Base):
    """A single mail to one subscriber: confirmation, welcome, goodbye. `key` is what makes it happen once."""

    __tablename__ = "letters"
    __table_args__ = (
        Index("ix_letters_state_due_at", "state", "due_at"),
        partial_index(
            "ix_letters_waiting",
            "waits_for",
            where="waits_for IS NOT NULL",
        ),
        {"sqlite_autoincrement": True},
    )

    kind: Mapped[LetterKind]
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id"), index=True)
    key: Mapped[str] = mapped_column(String(150), unique=True)
    change_id: Mapped[int | None] = mapped_column(Id)
    """The AddressChangeRow that the letter is about."""
