"""Why people leave."""

from __future__ import annotations

from sqlalchemy import String, Text

from newsletter.model.subscriber import Departure
from newsletter.store.tables.base import Base, Mapped, mapped_column
from newsletter.store.types import Id


class DepartureRow(Base):
    """How many people gave a reason for leaving a list, by month."""

    __tablename__ = "departures"

    list_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    reason: Mapped[Departure] = mapped_column(primary_key=True)
    many: Mapped[int]


class PartingWordsRow(Base):
    """What somebody said when they left. No column says who, or when but for the month."""

    __tablename__ = "parting_words"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    list_id: Mapped[str] = mapped_column(String(100))
    month: Mapped[str] = mapped_column(String(7))
    reason: Mapped[Departure]
    words: Mapped[str] = mapped_column(Text)
