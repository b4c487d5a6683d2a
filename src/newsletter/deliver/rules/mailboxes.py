"""Replies about the mailbox. Only a plain "for good" (5xx, and no 4.x.x beside it) can make an address dead."""

from __future__ import annotations

from typing import Final

from newsletter.deliver.rules.rule import Rule, When
from newsletter.model.judgement import Blame, Step

# Not "your account", "the sender's address", "IP address 192.0.2.1": those are ours.
_NOT_OURS: Final = (
    r"(?<!your )(?<!sender )(?<!sender's )(?<!sending )(?<!client )(?<!host )(?<!ip )(?<!source )(?<!from )"
)
_WHO: Final = rf"{_NOT_OURS}(user|recipient|mailbox|account|alias|e-?mail address|(?<!mail )address)"
# "Recipient not found", "unknown user", "the account that you tried to reach does not exist", "no mailbox here".
_NOBODY: Final = (
    rf"{_WHO} (is |was )?(unknown|not (found|known|valid|recogni[sz]ed)|invalid)"
    rf"|(unknown|no such|invalid|illegal)( or \w+)? {_WHO}|no {_WHO} here|nosuchuser"
    rf"|{_WHO}\b.{{0,80}}(does not|doesn.t|not) exist|doesn.t have an? \S+ account|not listed in .{{0,20}}directory"
    r"|unrouteable address|unknown local.?part|destinataire invalide|not a (known|valid) (user|recipient|mailbox)"
)
_CLOSED: Final = (
    rf"{_NOT_OURS}\b(mailbox|account|(?<!mail )address)\b.{{0,30}}"
    r"(disabled|inactive|deleted|closed|discontinued|deactivated|terminated|no longer)"
)

MAILBOXES: Final = (
    Rule(
        name="mailbox-full",
        blame=Blame.MAILBOX_TROUBLE,
        step=Step.FAIL,
        words="the mailbox is full",
        when=(
            When(codes="5", details="2.2"),
            When(
                codes="5",
                says=r"over ?quota|quota (is |has been )?exceeded|exceed\w* .{0,20}(quota|storage)|mailbox (is )?full"
                r"|out of storage",
            ),
        ),
        examples=("550 5.2.2 Mailbox full", "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceeded"),
    ),
    Rule(
        name="mailbox-suspended",
        blame=Blame.MAILBOX_TROUBLE,
        step=Step.FAIL,
        words="the mailbox is shut for now",
        when=(
            When(
                codes="5",
                says=r"(mailbox|account)\b.{0,20}(suspended|blocked|locked|frozen|on hold|temporarily)"
                r"|temporarily (disabled|inactive)",
            ),
            # iCloud says it of addresses whose owners have paused them.
            When(codes="550", details="1.1", says="inactive"),
        ),
        examples=(
            "550 5.2.1 Mailbox temporarily disabled",
            "554 5.2.0 Account suspended",
            "550 5.1.1 <anna@example.org>: inactive email address",
        ),
    ),
    Rule(
        name="mailbox-restricted",
        blame=Blame.MAILBOX_TROUBLE,
        step=Step.FAIL,
        words="the mailbox takes mail from its own people only",
        when=(
            When(codes="5", details="7.2 7.12 7.120-139 7.193"),
            When(
                codes="5",
                says=r"only accepts? (mail|messages|e-?mail)|restricted (recipient|address|group)|resolver\.rst",
            ),
        ),
        examples=(
            "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication needed for group",
            "550 5.7.124 Sender not in allowed-senders list",
            "550 5.7.1 RESOLVER.RST.AuthRequired; authentication of the sender is needed",
            "550 5.7.2 Mailing list expansion prohibited",
        ),
    ),
    Rule(
        name="mail-loops",
        blame=Blame.MAILBOX_TROUBLE,
        step=Step.FAIL,
        words="mail for this address goes round in circles on the other side",
        when=(
            When(codes="5", details="4.6 4.14"),
            When(codes="5", says=r"too many hops|hop count|(routing|mail) loop|loops back"),
        ),
        examples=(
            "554 5.4.6 Too many hops",
            "554 5.4.14 Hop count exceeded - possible mail loop",
            "554 too many hops, this message is looping (#5.4.6)",
        ),
    ),
    Rule(
        name="domain-takes-no-mail",
        blame=Blame.ADDRESS_DEAD,
        step=Step.SUPPRESS,
        words="the domain takes no mail",
        # RFC 7505's null MX. Microsoft gives 5.1.10 to unknown recipients too: as dead.
        when=(
            When(codes="556"),
            When(codes="5", details="1.10", says=r"null mx|domain|not accept"),
            When(codes="5", details="1.2 4.310"),
        ),
        examples=(
            "556 5.1.10 Recipient address has null MX",
            "556 Domain does not accept mail",
            "550 5.1.2 Host unknown",
            "550 5.4.310 DNS domain example.invalid does not exist",
        ),
    ),
    Rule(
        name="no-such-mailbox",
        blame=Blame.ADDRESS_DEAD,
        step=Step.SUPPRESS,
        words="no such mailbox",
        when=(
            When(codes="5", says=_NOBODY),
            # Microsoft: its directory, asked at the edge, and Outlook.com's way to say that nobody is there. Postfix
            # says "access denied" of what its own rules refuse, hence the code.
            When(codes="550", details="4.1", says="access denied"),
            When(codes="550", details="5.0", says=r"mailbox unavailable"),
        ),
        examples=(
            "550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking. - gsmtp",
            "550 5.1.1 <anna@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
            "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)",
            "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
            "552 1 Requested mail action aborted, mailbox not found",
            "554 delivery error: dd This user doesn't have a yahoo.com account (anna@example.org)",
            "550 No such user here",
            "550 Unrouteable address",
            "550 Invalid Recipient",
            "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR204_416",
            "550 sorry, no mailbox here by that name (#5.1.1)",
            "550 anna... User not listed in Domino Directory",
            "554 5.7.1 Recipient unknown",
        ),
    ),
    Rule(
        name="mailbox-closed",
        blame=Blame.ADDRESS_DEAD,
        step=Step.SUPPRESS,
        words="the mailbox is closed",
        when=(When(codes="5", says=_CLOSED), When(codes="5", details="2.1")),
        examples=(
            "550 5.2.1 The email account that you tried to reach is disabled. - gsmtp",
            "554 delivery error: dd Sorry, this account has been disabled or discontinued [#102].",
            "550 5.2.1 Mailbox disabled, not accepting messages",
        ),
    ),
    Rule(
        name="mailbox-moved",
        blame=Blame.ADDRESS_DEAD,
        step=Step.SUPPRESS,
        words="the mailbox has moved, or has another owner",
        # 7.17 and 7.18: RFC 7293.
        when=(
            When(codes="5", details="1.6 7.17-18"),
            When(codes="551", says=r"not local|please try|moved"),
        ),
        examples=(
            "551 5.1.6 Recipient has moved",
            "551 User not local; please try <bert@example.net>",
            "550 5.7.17 Mailbox owner has changed",
        ),
    ),
    Rule(
        name="address-unfit",
        blame=Blame.ADDRESS_DEAD,
        step=Step.SUPPRESS,
        words="the server says that this cannot be an address",
        when=(When(codes="5", details="1.3"),),
        examples=("553 5.1.3 Bad recipient address syntax", "501 5.1.3 Bad destination mailbox address syntax"),
    ),
)
