"""Hubs: those that tell us of feeds, and ours, which we tell."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint

from newsletter.model.hub import HubState
from newsletter.store.tables.base import Base, Mapped, mapped_column
from newsletter.store.types import Id


class HubSubscriptionRow(Base):
    """A feed at its hub, by the secret end of the address where the hub reaches us."""

    __tablename__ = "hub_subscriptions"
    __table_args__ = (UniqueConstraint("feed_id", "hub", "topic"),)

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    feed_id: Mapped[str] = mapped_column(String(100))
    hub: Mapped[str] = mapped_column(Text)
    topic: Mapped[str] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(String(64))
    state: Mapped[HubState]
    next_at: Mapped[datetime]
    tries: Mapped[int]
    leased_until: Mapped[datetime | None]
    pushed_at: Mapped[datetime | None]
    because: Mapped[str | None] = mapped_column(Text)


class PushRow(Base):
    """What a hub pushed and nobody has read yet."""

    __tablename__ = "pushes"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token: Mapped[str] = mapped_column(ForeignKey("hub_subscriptions.token", ondelete="CASCADE"), index=True)
    content: Mapped[bytes]
    content_type: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime]


class AnnouncementRow(Base):
    """What our hub was told of a list last, and when to try again if it did not listen."""

    __tablename__ = "announcements"

    list_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    mark: Mapped[str]
    tries: Mapped[int]
    next_try_at: Mapped[datetime | None]
