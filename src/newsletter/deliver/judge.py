"""What a server's reply means: one pure judge for all of them.

Codes are RFC 5321's (section 4.2) and RFC 3463's; words are asked first where servers are known to give codes that say
too little or the wrong thing. In doubt nobody is called dead: that costs a reader, the opposite only one more try.
"""

from __future__ import annotations

import re
from typing import Final

from newsletter.model.delivery import DeliveryState, Reply
from newsletter.model.judgement import Blame, Judgement

_DEAD, _TROUBLE, _OURS = Blame.ADDRESS_DEAD, Blame.MAILBOX_TROUBLE, Blame.OUR_FAULT

# By RFC 3463's subject and detail; "7.*" stands for every detail that is not listed.
_BY_ENHANCED: Final[dict[str, tuple[Blame, str]]] = {
    "1.0": (_DEAD, "the address is not valid"),
    "1.1": (_DEAD, "no such mailbox"),
    "1.2": (_DEAD, "no such mail domain"),
    "1.3": (_DEAD, "the address is not valid"),
    "1.6": (_DEAD, "the mailbox has moved"),
    "1.7": (_OURS, "our sender address was refused"),
    "1.8": (_OURS, "our sender's domain was refused"),
    "1.10": (_DEAD, "the domain takes no mail"),
    "2.0": (_TROUBLE, "the mailbox is out of order"),
    "2.1": (_DEAD, "the mailbox is disabled"),
    "2.2": (_TROUBLE, "the mailbox is full"),
    "2.3": (_OURS, "the message is too large"),
    "2.4": (_TROUBLE, "the mailing list behind the address is out of order"),
    "3.4": (_OURS, "the message is too large"),
    "4.*": (_TROUBLE, "the mailbox's server cannot be reached"),
    "5.*": (_OURS, "the server did not understand us"),
    "6.*": (_OURS, "the content was refused"),
    "7.13": (_DEAD, "the mailbox is disabled"),
    "7.17": (_DEAD, "the mailbox has another owner"),
    "7.18": (_DEAD, "the domain has another owner"),
    "7.*": (_OURS, "refused by policy"),
}

_BY_CODE: Final[dict[int, tuple[Blame, str]]] = {
    530: (_OURS, "the server wants us to log in"),
    535: (_OURS, "the server refused our login"),
    550: (_TROUBLE, "the mailbox is not available"),
    551: (_DEAD, "the mailbox has moved"),
    552: (_TROUBLE, "the mailbox is full"),
    553: (_DEAD, "the address is not valid"),
    556: (_DEAD, "the domain takes no mail"),
}

_RELAY_DENIED: Final = re.compile(
    r"relay(ing)? (access )?(denied|not (permitted|allowed))|not (permitted|allowed) to relay|unable to relay",
    re.IGNORECASE,
)
_BLOCKED: Final = re.compile(
    r"\b(spam|spamhaus|unsolicited|bulk|black ?list(ed)?|block ?list(ed)?|dnsbl|rbl|blocked|reputation)\b"
    r"|\b(dmarc|spf|dkim|unauthenticated|authentication required)\b",
    re.IGNORECASE,
)
_NOBODY: Final = re.compile(
    r"(user|recipient|mailbox|account|address) (is )?(unknown|not found|not known|invalid)"
    r"|(unknown|no such|invalid) (user|recipient|mailbox|account|address)"
    r"|(user|recipient|mailbox|account|address)\b.{0,80}(does not|doesn.t|not) exist"
    r"|(mailbox|account|address)\b.{0,20}(disabled|inactive|deleted|closed|suspended|no longer)",
    re.IGNORECASE,
)
_FULL: Final = re.compile(
    r"over ?quota|quota (is )?exceeded|exceeded .{0,20}quota|mailbox (is )?full|out of storage", re.IGNORECASE
)
_TOO_LARGE: Final = re.compile(
    r"(message|mail) (size|is too)|too (large|big|much)|exceeds .{0,20}(size|limit)", re.IGNORECASE
)
# Exchange Online says 5.4.1 of an address its directory does not have.
_NOT_IN_DIRECTORY: Final = re.compile(r"recipient address rejected: access denied", re.IGNORECASE)
_GREYLISTED: Final = re.compile(r"gr[ae]y ?-?list|try again later", re.IGNORECASE)


def judge(reply: Reply) -> Judgement:
    """What became of a delivery that was answered like this, and what to think of it."""
    if 200 <= reply.code < 300:  # noqa: PLR2004 reply codes explain themselves
        return Judgement(state=DeliveryState.SENT, blame=None, because="accepted")
    blame, words = _why(reply)
    label = f"{reply.code} {reply.enhanced}".rstrip()
    because = f"{blame}: {words} ({label})" if blame else f"{words} ({label})"
    return Judgement(state=_state(reply), blame=blame, because=because)


def _state(reply: Reply) -> DeliveryState:
    if not 500 <= reply.code < 600:  # noqa: PLR2004
        return DeliveryState.DEFERRED
    if reply.code == 552 and _full(reply):  # noqa: PLR2004
        # RFC 5321 section 4.5.3.1.10 has us treat it as 452: mailboxes are emptied.
        return DeliveryState.DEFERRED
    if _RELAY_DENIED.search(reply.text):
        # The relay's settings are wrong, or ours: everybody would be refused, and nobody may be lost by that.
        return DeliveryState.DEFERRED
    return DeliveryState.FAILED


def _why(reply: Reply) -> tuple[Blame | None, str]:
    if not 500 <= reply.code < 600:  # noqa: PLR2004
        return _why_later(reply)
    return _by_words(reply) or _by_enhanced(reply.enhanced) or _by_code(reply)


def _why_later(reply: Reply) -> tuple[Blame | None, str]:
    if _FULL.search(reply.text) or reply.enhanced == "4.2.2":
        return _TROUBLE, "the mailbox is full"
    if _GREYLISTED.search(reply.text):
        return None, "the server wants us to come again"
    if reply.enhanced.startswith("4.2."):
        return _TROUBLE, "the mailbox is out of order"
    if reply.enhanced.startswith("4.7.") or _BLOCKED.search(reply.text) or _RELAY_DENIED.search(reply.text):
        return _OURS, "held back by policy"
    if not 400 <= reply.code < 500:  # noqa: PLR2004
        return None, "the reply makes no sense"
    return None, "refused for now"


def _by_words(reply: Reply) -> tuple[Blame, str] | None:
    if _RELAY_DENIED.search(reply.text):
        return _OURS, "the relay does not take our mail"
    if _BLOCKED.search(reply.text):
        # Before the codes: many a server answers 5.1.1 to whom it takes for a spammer.
        return _OURS, "refused as unwanted or unauthenticated"
    if _FULL.search(reply.text):
        return _TROUBLE, "the mailbox is full"
    if _NOBODY.search(reply.text) or _NOT_IN_DIRECTORY.search(reply.text):
        return _DEAD, "no such mailbox"
    return None


def _by_enhanced(enhanced: str) -> tuple[Blame, str] | None:
    _, _, kind = enhanced.partition(".")
    subject = kind.partition(".")[0]
    return _BY_ENHANCED.get(kind) or _BY_ENHANCED.get(f"{subject}.*")


def _by_code(reply: Reply) -> tuple[Blame, str]:
    if _TOO_LARGE.search(reply.text):
        return _OURS, "the message is too large"
    return _BY_CODE.get(reply.code, (_TROUBLE, "refused for good"))


def _full(reply: Reply) -> bool:
    return _why(reply) == (_TROUBLE, "the mailbox is full")
