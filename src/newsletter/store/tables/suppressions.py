"""Whom nobody writes to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text

from newsletter.model.subscriber import SuppressionKind
from newsletter.store.tables.base import Base, Mapped, mapped_column


class SuppressionRow(Base):
    """An address never mailed again, as a keyed hash, so that it outlives the person's erasure."""

    __tablename__ = "suppressions"

    address_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    kind: Mapped[SuppressionKind | None]
    evidence: Mapped[str | None] = mapped_column(Text)
    """What a server said, without addresses, and over which delivery. Erasing the person forgets it."""


class SuppressedDomainRow(Base):
    """A domain that is not written to, or with `*.` in front all below it."""

    __tablename__ = "suppressed_domains"

    pattern: Mapped[str] = mapped_column(String(255), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
