"""What is left is judged by the subjects of RFC 3463 and IANA and by RFC 5321's codes. All replies end here."""

from __future__ import annotations

from typing import Final

from newsletter.deliver.rules.rule import Rule, When
from newsletter.model.judgement import Blame, Step

CODES: Final = (
    Rule(
        name="nobody-by-code",
        blame=Blame.ADDRESS_DEAD,
        step=Step.SUPPRESS,
        words="no such mailbox, as the code alone says",
        when=(When(codes="5", details="1.1 1.10"),),
        examples=("550 5.1.1 Rejected", "550 5.1.10 Rejected"),
    ),
    Rule(
        name="address-needs-utf8",
        blame=Blame.OUR_FAULT,
        step=Step.FAIL,
        words="the way to this address cannot carry letters beyond ASCII: only another relay can help",
        when=(When(codes="5", details="6.7-10"),),
        examples=("553 5.6.7 Address requires SMTPUTF8, which is not offered",),
    ),
    Rule(
        name="held-by-policy",
        blame=Blame.OUR_FAULT,
        step=Step.SLOW,
        words="held back by the provider's policy: slow down and read the reply",
        when=(When(codes="4", details="7.*"), When(codes="4", says=r"\b(policy|blocked|denied)\b")),
        examples=(
            "421 4.7.0 Try again later, closing connection. - gsmtp",
            "421 4.7.0 IP not in whitelist for RCPT domain, closing connection. - gsmtp",
            "421 4.7.1 Service refuse. Veuillez essayer plus tard. OFR006_102",
            "451 Access denied by policy",
        ),
    ),
    Rule(
        name="mailbox-in-trouble-for-now",
        blame=Blame.MAILBOX_TROUBLE,
        step=Step.RETRY,
        words="the mailbox is out of order, or not known yet",
        when=(When(codes="4", details="1.* 2.*"),),
        examples=(
            "450 4.2.0 Mailbox busy",
            "450 4.1.1 <anna@example.org>: Recipient address rejected: unverified address",
            "450 5.1.1 <anna@example.org>: User unknown",
        ),
    ),
    Rule(
        name="refused-for-now",
        blame=None,
        step=Step.RETRY,
        words="the server is busy or out of order",
        when=(When(codes="4"),),
        examples=(
            "451 4.3.0 Temporary System Problem. Try again later - gsmtp",
            "421 4.3.2 Service shutting down",
            "452 4.3.1 Insufficient system storage",
            "452 4.5.3 Your message has too many recipients. - gsmtp",
            "451 4.3.5 Server configuration error",
            "451 Temporary local problem - please try later",
            "431",
        ),
    ),
    Rule(
        name="not-understood",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_PROVIDER,
        words="the server did not understand us: report it as a fault of this program, with the reply",
        when=(When(codes="500 501 502 503 504 555"), When(codes="5", details="5.1-6 3.3")),
        examples=(
            "500 5.5.2 Command not recognised",
            "503 5.5.1 Bad sequence of commands",
            "555 5.5.2 Syntax error. - gsmtp",
        ),
    ),
    Rule(
        name="refused-by-policy",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_PROVIDER,
        words="refused by the provider's policy: read the reply and ask its postmaster",
        when=(
            When(codes="5", details="7.*"),
            When(
                codes="5",
                says=r"polic(y|ies)|administrative|prohibit|\bbanned\b|access denied|not authori[sz]ed|\bblocked\b"
                r"|\[(cs|hm)\d+\]",
            ),
        ),
        examples=(
            "550 5.7.1 [CS01] Message rejected due to local policy.",
            "554 5.7.1 [HM08] Message rejected due to local policy.",
            "554 5.7.1 <anna@example.org>: Recipient address rejected: Access denied",
            "550 5.7.0 Local Policy Violation",
            "550 Administrative prohibition - envelope blocked",
            "550 5.7.1 The user or domain that you are sending to has a policy that prohibited the mail. - gsmtp",
            "550 5.7.507 Access denied, rejected by recipient domain",
        ),
    ),
    Rule(
        name="host-takes-no-mail",
        blame=Blame.MAILBOX_TROUBLE,
        step=Step.FAIL,
        words="that server takes no mail at all",
        # RFC 7504: one server's word, and the domain may have others; so the address is not dead yet.
        when=(When(codes="521"),),
        examples=("521 5.3.2 This server does not accept mail",),
    ),
    Rule(
        name="unreachable",
        blame=Blame.MAILBOX_TROUBLE,
        step=Step.FAIL,
        words="the mailbox's server is out of order or cannot be reached",
        when=(When(codes="5", details="3.* 4.*"),),
        examples=(
            "554 5.4.4 Unable to route",
            "550 5.4.7 Delivery time expired",
            "554 5.3.0 Other mail system problem",
        ),
    ),
    Rule(
        name="full-by-code",
        blame=Blame.MAILBOX_TROUBLE,
        step=Step.RETRY,
        words="the mailbox is full, as the code alone says",
        when=(When(codes="552"),),
        examples=("552 Requested mail action aborted", "552 5.2.0 Rejected"),
    ),
    Rule(
        name="refused-for-good",
        blame=Blame.MAILBOX_TROUBLE,
        step=Step.FAIL,
        words="refused for good, and no more said",
        when=(When(codes="5"),),
        examples=(
            "550 Requested action not taken: mailbox unavailable",
            "554 Transaction failed",
            "553 Requested action not taken: mailbox name not allowed",
            "550 permanent failure for one or more recipients",
            "550 4.2.1 Rejected",
        ),
    ),
    Rule(
        name="no-sense",
        blame=None,
        step=Step.RETRY,
        words="the reply makes no sense",
        when=(When(codes="0 1 2 3 6 7 8 9 -"),),
        examples=("354 Go ahead",),
    ),
)
