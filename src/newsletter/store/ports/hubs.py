"""Hubs: those that tell us of feeds, and ours, which we tell."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from newsletter.model.announcement import Announcement
from newsletter.model.feed import FeedHealth
from newsletter.model.hub import HubSubscription, Push
from newsletter.model.settings import Secret


class Hubs(Protocol):
    """Feeds at their hubs, and what hubs pushed."""

    def listed(self) -> tuple[HubSubscription, ...]:
        """All, by feed and hub."""

    def announcing(self) -> tuple[FeedHealth, ...]:
        """The feeds that announced a hub when they were last read, by id."""

    def at(self, token: Secret) -> HubSubscription | None:
        """The one whose address ends with this."""

    def add(self, subscription: HubSubscription) -> bool:
        """Keep a new one; False if its feed has one there."""

    def exchange(self, before: HubSubscription, after: HubSubscription) -> bool:
        """Change one that is still as it was read, else False. MoveError for a move that HUB_MOVES does not allow.

        `pushed_at` is not changed: `taken` does that.
        """

    def blame(self, before: HubSubscription, because: str) -> bool:
        """Note what is wrong with one that is still as it was read, else False."""

    def forget(self, before: HubSubscription) -> bool:
        """Forget one that is still as it was read, with what was pushed there, else False."""

    def keep(self, push: Push) -> bool:
        """Keep what was pushed, durably; False if too much of that hub and feed waits."""

    def waiting(self, *, after: int = 0) -> Push | None:
        """What waits longest of what was kept after the push with this id."""

    def taken(self, push: Push, *, pushed_at: datetime | None, because: str | None = None) -> None:
        """Forget a push, and note when it could be read, or that it could not and why."""


class Announcements(Protocol):
    """What our hub was told of each list."""

    def last(self, list_id: str) -> Announcement | None:
        """What it was last told or is still to be told, None if nothing yet."""

    def keep(self, announcement: Announcement) -> None:
        """Put it in the place of the list's last one."""
