"""The store itself."""

from __future__ import annotations

from sqlalchemy import String, Text

from newsletter.store.tables.base import Base, Mapped, mapped_column


class FactRow(Base):
    """A few facts about the store itself, by name (for example that it was restored and must not send)."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
