"""Replies that refuse us, or the message. They come before those about mailboxes and never touch a subscriber."""

from __future__ import annotations

from typing import Final

from newsletter.deliver.rules.rule import Rule, When
from newsletter.model.judgement import Blame, Step

SENDERS: Final = (
    Rule(
        name="too-large",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_EDITION,
        words="the message is too large: shorten the edition",
        when=(
            When(details="2.3 3.4"),
            When(
                says=r"(message|mail|data) (size )?(is )?(too (large|big|long)|exceed)|size (limit )?exceeds|databytes"
                r"|too much (mail )?data|(maximum|max) message size|size too large"
            ),
        ),
        examples=(
            "552 5.3.4 Message size exceeds fixed limit",
            "552 5.2.3 Your message exceeded the size limits",
            "552 Error: Too much mail data",
            "552 sorry, that message size exceeds my databytes limit (#5.3.4)",
            "550 Submitted message size too large",
        ),
    ),
    Rule(
        name="form-refused",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_EDITION,
        words="the message's form is refused: look at its source with `preview`",
        when=(
            When(details="6.0-6"),
            When(codes="5", details="5.2", says="header"),
            When(
                says=r"rfc[- ]?(5322|2822|822)|not rfc.compliant|malformed|badly formatted"
                r"|(missing|multiple|duplicate|invalid)\b.{0,40}\bheaders?\b|bare (lf|cr|newline|line ?feed)"
                r"|(header|line)s? (is |are )?too (long|large|many)"
            ),
        ),
        examples=(
            "550 5.7.1 Messages missing a valid Message-ID header are not accepted. - gsmtp",
            "554 5.6.0 Mail message is malformed. Not accepted.",
            "554 Message not allowed - Headers are not RFC compliant",
            "550 5.6.11 SMTPSEND.BareLinefeedsAreIllegal; message contains bare line feeds",
        ),
    ),
    Rule(
        name="content-refused",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_EDITION,
        words="something in the message is refused: look for a link or picture on a block list",
        when=(
            When(
                says=r"\b(virus|malware|phish\w*|malicious|infected)\b|security (issue|risk)"
                r"|\b(surbl|uribl|dbl|ivmuri)\b"
                r"|\b(urls?|links?)\b.{0,60}(listed|block|reject|reputation)|domain present in"
                r"|(message|mail) content|content (is |was )?(reject|denied|refused|block)|spam content|your content"
            ),
        ),
        examples=(
            "552 5.7.0 This message was blocked because its content presents a potential security issue. - gsmtp",
            "550 5.7.1 Your email was rejected due to having a domain present in the Spamhaus DBL",
            "550 5.7.1 Message blocked due to spam content in the message",
            "554 5.7.1 Message rejected: a URL in this message is listed by SURBL",
            "550 Mail content denied.",
        ),
    ),
    Rule(
        name="server-listed",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_PROVIDER,
        words="the sending server's address is on a block list or a bad name: ask the list to take it off",
        when=(
            When(details="7.501-503 7.511 7.513 7.606-649 7.708"),
            When(
                says=r"spamhaus|spamcop|barracuda|proofpoint|cloudmark|\bcsi\b|abusix|sorbs|invaluement|ipcheck"
                r"|(block|black|deny)[- ]?list|\b(dnsbl|rbl)\b|(?<!not )\blisted (at|in|by|on)\b|blocked using"
                r"|banned (send|ip)|reputation|\ba?s31[456]0\b|\[bl\d+\]"
                r"|\b(sc|dy|ou)-00\d|ask your postmaster"
                r"|not authorized to send e?-?mail directly|traffic not accepted from this ip"
            ),
        ),
        examples=(
            "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. They are on our block list (S3140).",
            "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your provider (S3150).",
            "550 SC-001 Mail rejected by Outlook.com for policy reasons.",
            "550 DY-001 Mail rejected by Outlook.com for policy reasons. The IP is in a dynamic range.",
            "550 5.7.511 Access denied, banned sender[192.0.2.1].",
            "550 5.7.606 Access denied, banned sending IP [192.0.2.1]",
            "550 5.7.708 Access denied, traffic not accepted from this IP",
            "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list",
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            "554 Service unavailable; Client host [192.0.2.1] blocked using Barracuda Reputation",
            "554 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1",
            "554 5.7.1 Refused. You have insufficient reputation. (CSI)",
            "550 csi.mimecast.org Poor Reputation Sender.",
            "554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help or to contact us to clarify.)",
            "550 5.7.1 The IP you're using is not authorized to send email directly to our servers. - gsmtp",
        ),
    ),
    Rule(
        name="taken-for-spam",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_PROVIDER,
        words="the message is taken for spam: look at complaints, and at what this edition has that the last had not",
        when=(When(says=r"\b(spam\w*|unsolicited|bulk|junk|uce)\b|\[ph\d+\]"),),
        examples=(
            "550 5.7.1 Our system has detected that this message is likely unsolicited mail. - gsmtp",
            "550 5.1.1 Message rejected as spam",
            "554 5.7.1 Message cannot be accepted, spam rejection",
            "554 Message not allowed - [PH01] Email not accepted for policy reasons.",
        ),
    ),
)
