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


class Step(StrEnum):
    """What one reply asks for. A step that pauses is a vote: one stray reply need not stop an edition."""

    NONE = "nothing to do"
    SUPPRESS = "fail and suppress the address"
    FAIL = "fail this delivery"
    RETRY = "try again later"
    SLOW = "try again later and slow this provider"
    PAUSE_RELAY = "pause the relay and alarm"
    """Everybody would be refused like this: the delivery waits until it is mended."""
    PAUSE_PROVIDER = "pause the provider and alarm"
    PAUSE_EDITION = "pause the edition and alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`state` is sent, deferred or failed. `because` is the same for all that one rule catches, and holds no address.

    `blame` is None where nothing is wrong, or nothing that anybody could mend (a server that is busy, greylisting).
    `rule` is the name under which docs/judgement.md explains it.
    """

    state: DeliveryState
    blame: Blame | None
    because: str
    rule: str
    step: Step
