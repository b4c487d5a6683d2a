"""What a server's reply means: one pure judge for all of them, by the table in `rules/` (as text: docs/judgement.md).

Whether a delivery is tried again is the reply code's first digit to say (RFC 5321 section 4.2.1): an enhanced code of
another class beside it changes nothing in that, but no address is called dead by a server that contradicts itself.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from newsletter.deliver.rules import RULES
from newsletter.deliver.rules.rule import Heard, Rule
from newsletter.model.delivery import DeliveryState, Reply
from newsletter.model.judgement import Blame, Judgement, Step

_ACCEPTED: Final = Judgement(state=DeliveryState.SENT, blame=None, because="accepted", rule="accepted", step=Step.NONE)
# 552 and some limits are called final and are not; while a relay refuses everybody, everybody waits.
_COMES_AGAIN: Final = frozenset({Step.RETRY, Step.SLOW, Step.PAUSE_RELAY})
_ENHANCED: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
# qmail and some others put the enhanced code at the end.
_TRAILING: Final = re.compile(r"\(#([45]\.\d{1,3}\.\d{1,3})\)")
_ADDRESS: Final = re.compile(r"[^\s<>()\[\],;:]*@[^\s<>()\[\],;:]*")
_LONGEST_TEXT: Final = 1000


def judge(reply: Reply) -> Judgement:
    """What became of a delivery that was answered like this, and what to think of it."""
    if 200 <= reply.code < 300:  # noqa: PLR2004 reply codes explain themselves
        return _ACCEPTED
    enhanced = _enhanced(reply)
    heard = Heard(code=str(reply.code), detail=enhanced[2:], text=_words(reply.text[:_LONGEST_TEXT]))
    rule = _rule(heard, plain=reply.code // 100 == 5 and not enhanced.startswith(("2", "4")))  # noqa: PLR2004
    return Judgement(
        state=_state(reply.code, rule.step), blame=rule.blame, because=because(rule), rule=rule.name, step=rule.step
    )


@lru_cache(4096)
def _rule(heard: Heard, *, plain: bool) -> Rule:
    # Remembered, because a provider in trouble says the same to thousands.
    return next(rule for rule in RULES if rule.fits(heard) and (plain or rule.blame is not Blame.ADDRESS_DEAD))


def because(rule: Rule) -> str:
    """What a report says of all that this rule caught, whatever words each server found for it."""
    return f"{rule.blame}: {rule.words} [{rule.name}]" if rule.blame else f"{rule.words} [{rule.name}]"


def _state(code: int, step: Step) -> DeliveryState:
    final = code // 100 == 5 and step not in _COMES_AGAIN  # noqa: PLR2004
    return DeliveryState.FAILED if final else DeliveryState.DEFERRED


def _enhanced(reply: Reply) -> str:
    if _ENHANCED.fullmatch(reply.enhanced):
        return reply.enhanced
    found = _TRAILING.search(reply.text[:_LONGEST_TEXT])
    return found[1] if found else ""


def _words(text: str) -> str:
    # An address is chosen by its owner: spam@… or user.unknown@… must not steer the judgement.
    return " ".join(_ADDRESS.sub("", word) if "@" in word else word for word in text.lower().split())
