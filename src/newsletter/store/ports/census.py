"""Counts for whoever watches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from newsletter.model.delivery import DeliveryState
from newsletter.model.subscriber import (
    SubscriptionState,
)


class Census(Protocol):
    """What can be counted for whoever watches. What reads many rows says so: ask it seldom."""

    def deliveries(self, edition_id: str) -> Mapping[DeliveryState, int]:
        """Deliveries of an edition by state; reads a row of an index for each."""

    def subscriptions(self) -> Mapping[tuple[str, SubscriptionState], int]:
        """Subscriptions by list and state; reads a row of an index for each."""

    def size_bytes(self) -> int:
        """The size of the database."""
