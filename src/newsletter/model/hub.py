"""What a feed's hub does for us (W3C WebSub): we subscribe there, and it pushes what is new to an address of ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from newsletter.model.moves import Moves
from newsletter.model.settings import Secret


class HubState(StrEnum):
    """asked: the hub was asked, for the first time or to go on, and has not confirmed it; active: it has;
    refused: it will not; leaving: it was asked to stop, and has not confirmed it. What has ended is no more.
    """

    ASKED = "asked"
    ACTIVE = "active"
    REFUSED = "refused"
    LEAVING = "leaving"


HUB_MOVES: Moves[HubState] = Moves(
    "hub subscription",
    {
        HubState.ASKED: {HubState.ASKED, HubState.ACTIVE, HubState.REFUSED, HubState.LEAVING},
        HubState.ACTIVE: {HubState.ACTIVE, HubState.ASKED, HubState.REFUSED, HubState.LEAVING},
        HubState.REFUSED: {HubState.ASKED},
        HubState.LEAVING: {HubState.LEAVING},
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSubscription:
    """One feed at one hub. `token` ends the address that only this hub knows, `secret` signs what it pushes there."""

    token: Secret
    feed_id: str
    hub: str
    topic: str
    secret: Secret
    state: HubState
    next_at: datetime
    """When the hub is asked next: again, to go on, or to stop."""
    tries: int = 0
    """How often it was asked without an answer that counts."""
    leased_until: datetime | None = None
    """How long it has promised to push; None before it has."""
    pushed_at: datetime | None = None
    """When it last pushed something that could be read."""
    because: str | None = None
    """What is wrong, in words, or None."""

    def is_live(self, now: datetime) -> bool:
        """Whether the hub's promise holds."""
        promised = self.leased_until is not None and now < self.leased_until
        return promised and self.state in {HubState.ASKED, HubState.ACTIVE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What a hub pushed, its signature verified, waiting to be read. `id` is 0 before it is stored."""

    token: Secret
    content: bytes
    content_type: str
    received_at: datetime
    id: int = 0
