"""Mails that ask to leave: the token says who, wherever their program has put it."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.readers.leavemail import received_at, who_leaves
from newsletter.readers.tokens import Purpose, Tokens
from newsletter.render.headers import unsubscribe_mailto

TOKENS = Tokens((b"a key for tests, sixteen",))
TOKEN = TOKENS.make(Purpose.UNSUBSCRIBE, 7)
AT = "Mon, 23 Nov 2026 07:00:00 +0100 (CET)"
BOUNCE = TOKENS.make(Purpose.BOUNCE, 7)


def test_the_mail_that_our_own_address_makes_is_understood() -> None:
    mailto = unsubscribe_mailto("bounces@bounce.example.org", TOKEN)
    address, subject = re.fullmatch(r"mailto:(.*)\?subject=(.*)", mailto).groups()  # type: ignore[union-attr]
    mail = f"From: ann@example.org\r\nTo: {address}\r\nSubject: {subject.replace('%20', ' ')}\r\n\r\n"
    assert who_leaves(mail.encode(), TOKENS) == (7, TOKEN)


@pytest.mark.parametrize(
    "header",
    [
        f"Subject: Re: UNSUBSCRIBE {TOKEN.upper()}",
        f"Subject: =?utf-8?q?unsubscribe_{TOKEN}?=",
        f"Subject: unsubscribe\r\n {TOKEN}",
        f"Delivered-To: leave+{TOKEN}@example.org",
        f"To: <bounces+{TOKEN}@bounce.example.org>",
        f"Subject: {BOUNCE} {TOKEN}",
    ],
)
def test_a_token_is_found_in_the_subject_or_the_recipient(header: str) -> None:
    found = who_leaves(f"{header}\r\nFrom: x@example.net\r\n\r\n".encode(), TOKENS)
    assert found is not None
    assert found[0] == 7


@pytest.mark.parametrize(
    "mail",
    [
        "",
        "Subject: unsubscribe me please\r\n\r\n",
        f"Subject: {BOUNCE}\r\n\r\n",
        f"Subject: x{TOKEN}\r\n\r\n",
        f"Subject: {TOKEN[:-1]}{'a' if TOKEN[-1] != 'a' else 'b'}\r\n\r\n",
        f"Subject: Undelivered mail\r\n\r\nList-Unsubscribe: <https://example.org/u/{TOKEN}>\r\n",
        f"From: {TOKEN}@example.org\r\n\r\n",
    ],
    ids=["empty", "no token", "another purpose", "part of a word", "changed", "a report of failure", "the sender"],
)
def test_no_other_mail_takes_anybody_off(mail: str) -> None:
    assert who_leaves(mail.encode(), TOKENS) is None


def test_when_a_mail_came_says_our_own_server_and_not_its_sender() -> None:
    date = "Date: Sun, 1 Jan 2006 00:00:00 +0000\n"
    ours, theirs = (f"Received: from a by {name};\n {at}\n" for name, at in (("us", AT), ("them", "1 Jan 2006")))
    assert received_at((ours + theirs + date).encode()) == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    assert [received_at(mail.encode()) for mail in (date, "Received: by us; soon\n", "")] == [None, None, None]


@given(st.binary())
def test_no_mail_breaks_it(mail: bytes) -> None:
    received_at(b"Received: ;" + mail)
    assert who_leaves(b"Subject: " + mail, TOKENS) is None
