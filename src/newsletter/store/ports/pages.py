"""The pages that items are about: who may read them, and whether they are still there."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from newsletter.model.link import ItemLink, LinkVerdict
from newsletter.model.robots import RobotsFile


class Robots(Protocol):
    """Sites' robots.txt, as they were last had."""

    def of(self, origin: str) -> RobotsFile | None:
        """That of a site, by its scheme, host and port."""

    def keep(self, file: RobotsFile) -> None:
        """Keep one in place of an older one."""

    def prune(self, *, now: datetime) -> int:
        """Forget those that are too old to be believed; returns how many."""


class Links(Protocol):
    """Items' links, and what was seen there."""

    def due(self, *, now: datetime, limit: int) -> tuple[ItemLink, ...]:
        """Links to look at: of recent accepted items that no list has had, and of those that were taken down."""

    def note(self, link: ItemLink, verdict: LinkVerdict, *, now: datetime) -> bool:
        """Keep what was seen; True if the item was moved for it.

        Gone twice, an hour apart: retracted. There again: what it was before.
        """
