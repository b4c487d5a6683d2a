"""Mails by which people leave: the mailto address of List-Unsubscribe (RFC 2369 section 3.2), followed by a program.

Whose mail it is says the token, which only they were sent: never the From, which anybody can write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.errors import MessageError
from email.parser import BytesHeaderParser
from email.policy import compat32, default
from email.utils import parsedate_to_datetime

from newsletter.errors import TokenError
from newsletter.readers.tokens import Purpose, Tokens

_MOST_BYTES = 256 * 1024
"""Of a mail's beginning, which has all its headers."""
# Subject first: that is where our own address puts it. Some programs keep nothing but the recipient.
_FIELDS = ("subject", "to", "delivered-to", "x-original-to", "envelope-to")
_TOKEN = re.compile(r"(?<![a-z0-9])[a-z2-7]{29}(?![a-z0-9])", re.IGNORECASE)


def who_leaves(message: bytes, tokens: Tokens) -> tuple[int, str] | None:
    """The subscription that a mail asks to end, and the token that says so; None for a mail about anything else."""
    for token in _candidates(message):
        try:
            return tokens.read(Purpose.UNSUBSCRIBE, token), token
        except TokenError:
            continue
    return None


def received_at(message: bytes) -> datetime | None:
    """When our own mail server took a mail, as it says on top of its header; None if it does not.

    Not the mail's Date, which is by its sender's clock.
    """
    headers = BytesHeaderParser(policy=compat32).parsebytes(message[:_MOST_BYTES])
    try:
        at = parsedate_to_datetime(str(headers["received"]).rpartition(";")[2].strip())
    except (ValueError, IndexError, OverflowError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _candidates(message: bytes) -> Iterator[str]:
    """What may be a token, from the headers alone: a report of failure has all of our links in its body."""
    headers = BytesHeaderParser(policy=default).parsebytes(message[:_MOST_BYTES])
    for name in _FIELDS:
        try:
            values = [str(value) for value in headers.get_all(name, [])]
        except (MessageError, ValueError, IndexError, LookupError):
            continue  # what strangers write breaks the parser of a field now and then
        for value in values:
            yield from _TOKEN.findall(value)
