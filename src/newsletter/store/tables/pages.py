"""The pages that items are about."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String

from newsletter.model.item import ItemState
from newsletter.store.tables.base import Base, Mapped, mapped_column


class RobotsRow(Base):
    """What a site's robots.txt said when it was last asked for."""

    __tablename__ = "robots"

    origin: Mapped[str] = mapped_column(String(300), primary_key=True)
    asked_at: Mapped[datetime]
    content: Mapped[bytes]
    reachable: Mapped[bool]


class LinkRow(Base):
    """What an item's link answered when it was last looked at. `gone_at`: since when it says that the page is gone."""

    __tablename__ = "links"

    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    asked_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]
    retracted_from: Mapped[ItemState | None]
