"""What a server's reply or a report of failure means for a delivery and for the person behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from newsletter.model.delivery import DeliveryState


class Blame(StrEnum):
    """What was in the way, by what has to be done about it."""

    ADDRESS_DEAD = "address dead"
    """Nobody is there: never mail it again."""
    MAILBOX_TROUBLE = "mailbox trouble"
    """Full, slow, out of order: it may pass, and counts against the address only if it goes on."""
    OUR_FAULT = "our fault"
    """Policy, spam, authentication, size: never held against the subscriber, and the operator must know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`state` is sent, deferred or failed. `because` is the same for the same case, and holds nobody's address.

    `blame` is None where nothing is wrong, or nothing that anybody could mend (a server that is busy, greylisting).
    """

    state: DeliveryState
    blame: Blame | None
    because: str
