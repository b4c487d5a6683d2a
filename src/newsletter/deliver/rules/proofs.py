"""Replies that doubt who we are. They come before all that is about pace: the unproven are often told to slow down."""

from __future__ import annotations

from typing import Final

from newsletter.deliver.rules.rule import Rule, When
from newsletter.model.judgement import Blame, Step

PROOFS: Final = (
    Rule(
        name="sender-refused",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_PROVIDER,
        words="our sender's address or domain is refused: see that bounce_address's domain exists and takes mail",
        when=(
            When(details="1.7-8"),
            When(
                says=r"sender('?s)? (e-?mail )?(address )?(domain )?(is |was )?"
                r"(rejected|refused|denied|blocked|unknown|invalid|not (allowed|verified|found)"
                r"|does not (exist|resolve))"
                r"|sender verif|domain of sender|verification failed for|return path .{0,20}(invalid|reject|not)"
            ),
        ),
        examples=(
            "550 5.1.0 <bounces@bounce.example.org>: Sender address rejected: User unknown in virtual alias table",
            "450 4.1.8 <bounces@bounce.example.org>: Sender address rejected: Domain not found",
            "553 5.1.8 Domain of sender address bounces@bounce.example.org does not exist",
            "550 Sender verify failed",
        ),
    ),
    Rule(
        name="host-name",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_PROVIDER,
        words="the sending server's name is refused: give its address a PTR record that leads back to it",
        when=(
            When(details="7.25 7.506"),
            When(
                says=r"\b(ptr|rdns|reverse (dns|hostname|lookup|mapping))\b|cannot find your (reverse )?hostname"
                r"|\b(helo|ehlo)\b.{0,40}(reject|invalid|refused|denied|bad|need)|bad (helo|ehlo)"
            ),
        ),
        examples=(
            "550 5.7.25 The IP address sending this message does not have a PTR record setup. - gsmtp",
            "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]",
            "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname",
            "554 No SMTP service. Bad DNS PTR resource record.",
        ),
    ),
    Rule(
        name="tls-wanted",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_PROVIDER,
        words="the server takes encrypted mail only: let the relay use TLS towards it",
        when=(
            When(details="7.10"),
            When(
                says=r"\b(start)?tls\b.{0,40}(required|needed|not used|must)"
                r"|(requires?|needs?|must)\b.{0,40}\b(start)?tls\b"
            ),
        ),
        examples=(
            "421 4.7.0 TLS required for RCPT domain, closing connection. - gsmtp",
            "550 5.7.29 This mail has been rejected because it wasn't sent over TLS: TLS required. - gsmtp",
            "550 5.7.10 Encryption needed",
        ),
    ),
    Rule(
        name="unauthenticated",
        blame=Blame.OUR_FAULT,
        step=Step.PAUSE_PROVIDER,
        words="our mail is not proven to be ours: see SPF, DKIM and DMARC of the From domain",
        when=(
            When(details="7.20-24 7.26-27 7.29-30 7.32 7.509 7.515"),
            When(says=r"\b(dmarc|dkim|spf|unauthenticated)\b|sender policy framework|anti-?spoofing"),
        ),
        examples=(
            "550 5.7.26 Your email has been blocked because the sender is unauthenticated. - gsmtp",
            "421 4.7.26 Your email has been rate limited because the sending domain is unauthenticated - gsmtp",
            "550 5.7.27 This mail has been blocked because SPF did not pass - gsmtp",
            "550 5.7.509 Access denied, sending domain example.org does not pass DMARC verification",
            "550 5.7.515 Access denied, sending domain example.org does not meet the required authentication level.",
            "554 5.7.9 Message not accepted for policy reasons: DMARC",
            "550 Rejected by header based Anti-Spoofing policy: bounces@bounce.example.org",
            "550 5.7.23 The message was rejected because of Sender Policy Framework violation",
        ),
    ),
)
