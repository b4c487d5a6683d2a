"""People, their subscriptions and consent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Double, ForeignKey, Index, String, Text, UniqueConstraint, false, true

from newsletter.model.subscriber import SubscriptionState
from newsletter.store.tables.base import Base, Mapped, mapped_column, partial_index
from newsletter.store.types import Id


class SubscriberRow(Base):
    """A person. `address_key` is how addresses are compared; both are null once the person is erased."""

    __tablename__ = "subscribers"
    __table_args__ = (
        # Freezing asks whether anybody wants a mail of their own kind: of a million who do not, it reads none.
        partial_index(
            "ix_subscribers_text_only",
            "text_only",
            where="text_only",
        ),
        partial_index(
            "ix_subscribers_language",
            "language",
            where="language IS NOT NULL",
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    address: Mapped[str | None] = mapped_column(Text)
    address_key: Mapped[str | None] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(35))
    fields: Mapped[str] = mapped_column(Text)
    text_only: Mapped[bool] = mapped_column(server_default=false())
    tracking: Mapped[bool] = mapped_column(server_default=true())
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


class SubscriptionRow(Base):
    """A person on a list. Its id is in the tokens of links, so it is never used twice."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "list_id"),
        # Has all that freezing asks about, in the order in which it writes.
        Index("ix_subscriptions_recipients", "list_id", "state", "subscriber_id", "id"),
        # As those of subscribers.
        partial_index(
            "ix_subscriptions_weekly",
            "list_id",
            "weekly",
            where="weekly",
        ),
        partial_index(
            "ix_subscriptions_topics",
            "list_id",
            where="topics IS NOT NULL",
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id"))
    list_id: Mapped[str] = mapped_column(String(100))
    state: Mapped[SubscriptionState]
    since_at: Mapped[datetime]
    weekly: Mapped[bool] = mapped_column(server_default=false())
    topics: Mapped[str | None] = mapped_column(Text)
    """Null for all of them, else a JSON array in one order and spelling, so that equal choices are equal texts."""


class ConsentRow(Base):
    """One move of a subscription, for the record. Append-only."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id"), index=True)
    before: Mapped[SubscriptionState | None]
    after: Mapped[SubscriptionState]
    at: Mapped[datetime]
    source: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    """A remark of ours; before there were wordings, also the text that was shown."""
    wording: Mapped[str | None] = mapped_column(String(64))
    """The hash of a WordingRow."""
    token: Mapped[str | None] = mapped_column(String(40))


class WordingRow(Base):
    """A text that people were shown when they decided. Each version is kept once, by its SHA-256."""

    __tablename__ = "wordings"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class AddressChangeRow(Base):
    """A wish for another address. Both addresses confirm it; once it is done or over, it says nothing of either."""

    __tablename__ = "address_changes"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id"), index=True)
    address: Mapped[str | None] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(index=True)
    old_confirmed_at: Mapped[datetime | None]
    new_confirmed_at: Mapped[datetime | None]


class TroubleRow(Base):
    """How much trouble a person's mailbox has been; no row for almost everybody."""

    __tablename__ = "troubles"

    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id"), primary_key=True)
    score: Mapped[float] = mapped_column(Double)
    since: Mapped[datetime]
    at: Mapped[datetime] = mapped_column(index=True)
