"""What to write down after an attempt: a reply, or the lack of one, becomes an outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from newsletter.deliver.judge import judge
from newsletter.deliver.retry import next_attempt
from newsletter.model.delivery import Claimed, DeliveryState, Reply, Tried
from newsletter.model.settings import Deliver


def after_reply(claimed: Claimed, reply: Reply, *, relay: str, policy: Deliver, now: datetime, jitter: float) -> Tried:
    """The outcome of an attempt that was answered. A deferred one past its time has failed, for the same reason."""
    judgement = judge(reply)
    state, because, due_at = judgement.state, judgement.because, None
    if state is DeliveryState.DEFERRED:
        due_at = next_attempt(
            policy, attempts=claimed.attempts + 1, queued_at=claimed.queued_at, now=now, jitter=jitter
        )
        if due_at is None:
            state, because = DeliveryState.FAILED, f"gave up: {because}"
    tried = _tried(claimed, state, because=because, relay=relay, reply=reply, due_at=due_at)
    return replace(tried, blame=judgement.blame, step=judgement.step) if judgement.blame else tried


def interrupted(claimed: Claimed, *, relay: str, because: str, policy: Deliver, now: datetime, jitter: float) -> Tried:
    """The outcome where a relay broke off over this message before it had all of it: tried, and nothing was sent."""
    due_at = next_attempt(policy, attempts=claimed.attempts + 1, queued_at=claimed.queued_at, now=now, jitter=jitter)
    state = DeliveryState.FAILED if due_at is None else DeliveryState.DEFERRED
    return _tried(claimed, state, because=because, relay=relay, due_at=due_at)


def not_tried(claimed: Claimed, *, relay: str, because: str) -> Tried:
    """The outcome where nothing can have been accepted: back to the queue, and no attempt is counted."""
    return _tried(claimed, DeliveryState.QUEUED, because=because, relay=relay, counts=False)


def doubtful(claimed: Claimed, *, relay: str, because: str) -> Tried:
    """The outcome where the connection died between the last byte and the reply: only the operator may risk a copy."""
    return _tried(claimed, DeliveryState.UNKNOWN, because=because, relay=relay)


def unmakeable(claimed: Claimed, *, because: str) -> Tried:
    """The outcome of a delivery whose message cannot be built: it fails alone."""
    return _tried(claimed, DeliveryState.FAILED, because=because, relay="", counts=False)


def _tried(
    claimed: Claimed,
    state: DeliveryState,
    *,
    because: str,
    relay: str,
    reply: Reply | None = None,
    due_at: datetime | None = None,
    counts: bool = True,
) -> Tried:
    return Tried(
        ledger=claimed.ledger,
        id=claimed.id,
        fence=claimed.fence,
        state=state,
        reply=reply,
        because=because,
        relay=relay,
        due_at=due_at,
        counts=counts,
    )
