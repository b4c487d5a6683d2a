"""Replies that ask for patience: greylisting, busy servers, limits on how much one may send at once."""

from __future__ import annotations

from typing import Final

from newsletter.deliver.rules.rule import Rule, When
from newsletter.model.judgement import Blame, Step

PACE: Final = (
    Rule(
        name="mailbox-flooded",
        blame=Blame.MAILBOX_TROUBLE,
        step=Step.RETRY,
        words="the mailbox gets more mail than its server allows",
        # Gmail says it of single mailboxes with 4.2.1 and with 5.2.1, which elsewhere means that it is closed.
        when=(
            When(
                says=r"(user|recipient|mailbox|inbox|address)\b.{0,50}(receiv\w+|getting) .{0,20}"
                r"(at a rate|too (quickly|fast|much|many)|short period)|recipient thread limit|mailbox rate limit"
            ),
        ),
        examples=(
            "450 4.2.1 The user you are trying to contact is receiving mail too quickly. Please resend later. - gsmtp",
            "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents more messages",
            "450 User is receiving mail too quickly",
            "432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded",
        ),
    ),
    Rule(
        name="greylisted",
        blame=None,
        step=Step.RETRY,
        words="greylisting: the server wants us to come again",
        when=(
            When(
                codes="4",
                says=r"gr[ae]y[- ]?list|\[gl\d+\]|postgrey|come back later|internal resources? .{0,25}unavail",
            ),
            When(codes="450 451", details="7.0-1", says=r"(try|retry|come back)( again)? (later|in \d|after \d)"),
        ),
        examples=(
            "450 4.2.0 <anna@example.org>: Recipient address rejected: Greylisted, see the help page",
            "451 4.7.1 Greylisting in action, please come back later",
            "451 4.7.1 [GL01] Message from (192.0.2.1) temporarily deferred",
            "451 Internal resources are temporarily unavailable - please try again",
            "451 4.7.1 Service unavailable - try again later",
        ),
    ),
    Rule(
        name="mailbox-full-for-now",
        blame=Blame.MAILBOX_TROUBLE,
        step=Step.RETRY,
        words="the mailbox is full and may be emptied",
        # RFC 5321 section 4.5.3.1.10 has us treat 552 as 452: mailboxes are emptied.
        when=(
            When(codes="4 552", details="2.2"),
            When(
                codes="4 552",
                says=r"over ?quota|quota (is |has been )?exceeded|exceed\w* .{0,20}(quota|storage)|mailbox (is )?full"
                r"|out of storage|mailbox .{0,20}(size|limit)",
            ),
        ),
        examples=(
            "452 4.2.2 The email account that you tried to reach is over quota. - gsmtp",
            "452 4.2.2 The recipient's inbox is out of storage space. - gsmtp",
            "552 5.2.2 <anna@example.org>: user is over quota",
            "452 4.2.2 User has too many messages on the server",
            "552 Requested mail action aborted: exceeded storage allocation",
        ),
    ),
    Rule(
        name="deferred-for-ever",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_PROVIDER,
        words="the provider blocks our server and says that trying again will not help: ask to be unblocked",
        when=(When(says=r"permanently deferred|retrying will not succeed|\[(ts03|tss09|tss11)\]"),),
        examples=(
            "421 4.7.1 [TSS09] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT succeed.",
            "421 4.7.1 [TS03] All messages from 192.0.2.1 will be permanently deferred",
        ),
    ),
    Rule(
        name="too-fast",
        blame=Blame.OUR_FAULT,
        step=Step.SLOW,
        words="we send more, or faster, than the provider wants from us: slow down and look at complaints",
        when=(
            When(
                says=r"\brate.?limit|throttl|slow down"
                r"|too many (concurrent )?(connections|messages(?! on)|sessions|e?-?mails)"
                r"|too (fast|quickly|frequent)|unusual rate|(unexpected|excessive) volume|user complaints|\[tss?\d+\]"
                r"|maximum (number of )?connections|connection (rate|limit)|\brp-00\d|\bs(77|84)\d\b"
                r"|excessive unknown recipients|max messages? per connection|untrusted ip"
            ),
            When(codes="4", details="4.5 7.500-699"),
            When(details="7.28"),
        ),
        examples=(
            "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail from your IP address. - gsmtp",
            "421 4.7.0 Our system has detected an unusual rate of unsolicited mail originating from your IP - gsmtp",
            "421 4.4.5 Server busy, try again later. - gsmtp",
            "451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)",
            "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation. (S775)",
            "451 4.7.652 The mail server [192.0.2.1] has exceeded the maximum number of connections. (S843)",
            "421 RP-001 The mail server IP connecting to this server has exceeded the rate limit allowed.",
            "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume",
            "421 4.7.1 Messages to anna@example.org deferred due to excessive volume. Try again later",
            "421 4.1.0 192.0.2.1 Throttled - try again later",
        ),
    ),
)
