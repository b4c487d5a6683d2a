"""What a server's reply or a report of failure means for a delivery and for the person behind it."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.model.blame import Blame, Step
from newsletter.model.delivery import DeliveryState

__all__ = ["Blame", "Judgement", "Step"]


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
