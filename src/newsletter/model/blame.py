"""Who or what was in the way of a delivery, and what one reply asks for."""

from __future__ import annotations

from enum import StrEnum


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
