"""What may be done how often."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text

from newsletter.store.tables.base import Base, Mapped, mapped_column
from newsletter.store.types import Id


class LimitRow(Base):
    """A counted window, shared by all processes."""

    __tablename__ = "limits"

    key: Mapped[str] = mapped_column(String(150), primary_key=True)
    window: Mapped[int] = mapped_column(Id, primary_key=True)
    taken: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(index=True)


class TurnRow(Base):
    """When the next turn of a rate is free that all senders share."""

    __tablename__ = "turns"

    scope: Mapped[str] = mapped_column(String(300), primary_key=True)
    next_at: Mapped[datetime]


class SlowdownRow(Base):
    """A receiving provider that asked for patience, and what it gets since: see `model.pacing`."""

    __tablename__ = "slowdowns"

    provider: Mapped[str] = mapped_column(String(255), primary_key=True)
    rate: Mapped[float]
    full_rate: Mapped[float]
    slowed_at: Mapped[datetime]
    closed_until: Mapped[datetime]
    complaints: Mapped[int]
    because: Mapped[str] = mapped_column(Text)
