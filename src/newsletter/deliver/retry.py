"""When to try a deferred delivery again."""

from __future__ import annotations

from datetime import datetime

from newsletter.model.settings import Deliver

_MOST_DOUBLINGS = 30


def next_attempt(
    policy: Deliver, *, attempts: int, queued_at: datetime, now: datetime, jitter: float
) -> datetime | None:
    """When to try again after `attempts` tries, this one included, or None to give up.

    The wait doubles with each attempt. `jitter`, in [0, 1), lengthens it by up to a tenth, so that what was refused
    together does not come back together. RFC 5321 section 4.5.4.1 would try for four or five days; with the settings'
    defaults we stop after two, because by then the next edition has been sent, and a mailbox that was full over a
    weekend has had its Monday.
    """
    doublings = min(max(attempts - 1, 0), _MOST_DOUBLINGS)
    wait = min(policy.first_wait * 2**doublings, policy.longest_wait)
    at = now + wait * (1 + jitter / 10)
    return at if at - queued_at < policy.give_up_after else None
