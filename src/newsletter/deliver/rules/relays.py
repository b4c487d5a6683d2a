"""Replies of a relay that would refuse everybody: its settings are wrong, or ours. Nobody may be lost by that."""

from __future__ import annotations

from typing import Final

from newsletter.deliver.rules.rule import Rule, When
from newsletter.model.judgement import Blame, Step

RELAYS: Final = (
    Rule(
        name="relay-denied",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_RELAY,
        words="the relay does not take our mail for others: allow this machine, or log in",
        when=(
            When(
                says=r"relay(ing)? (access )?(is )?(denied|prohibited|not (permitted|allowed))"
                r"|not (permitted|allowed) to relay|unable to relay|do(es)? not relay|allowed rcpthosts"
            ),
            When(details="7.54"),
        ),
        examples=(
            "554 5.7.1 <anna@example.org>: Relay access denied",
            "550 relay not permitted",
            "550 5.7.1 Relaying denied. Proper authentication required.",
            "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
            "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
        ),
    ),
    Rule(
        name="relay-login",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_RELAY,
        words="the relay wants a login, or refused ours: see the relay's user and password",
        when=(
            When(codes="525 530 534 535 538"),
            # 7.13 is about the account one has logged in to (RFC 5248), not the recipient's; 7.9 is Yahoo's policy.
            When(codes="5", details="7.8 7.11 7.13 7.57"),
            When(says=r"authentication (is )?required|temporary authentication failure|must authenticate"),
        ),
        examples=(
            "530 5.7.0 Authentication required",
            "530 5.7.0 Must issue a STARTTLS command first",
            "535 5.7.8 Username and password not accepted",
            "525 5.7.13 User account disabled",
            "454 4.7.0 Temporary authentication failure",
        ),
    ),
    Rule(
        name="relay-limit",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_RELAY,
        words="the relay's allowance is used up: wait, or have it raised",
        when=(
            When(
                says=r"\b(daily|hourly|peak)\b.{0,30}(limit|quota)|relay limit|(sending|submission) (limit|quota)"
                r"|exceeded.{0,40}(sending|outgoing|outbound|submission)"
            ),
            When(codes="5", details="1.90 7.705 7.750"),
        ),
        examples=(
            "550 5.4.5 Daily SMTP relay limit exceeded for customer. - gsmtp",
            "450 4.2.1 Peak SMTP relay limit exceeded for customer. This is a temporary error.",
            "550 5.7.705 Access denied, tenant has exceeded threshold",
            "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
        ),
    ),
    Rule(
        name="relay-account",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_RELAY,
        words="the relay has closed our account: ask its operator",
        when=(When(says=r"your (e-?mail )?account .{0,40}(suspended|disabled|blocked|locked|closed)"),),
        examples=("554 5.7.0 Your account has been suspended, contact support",),
    ),
)
