"""Finished mail and the envelope it travels in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LetterKind(StrEnum):
    """Single mails outside any edition; each has a template folder of this name."""

    CONFIRMATION = "confirmation"
    WELCOME = "welcome"
    GOODBYE = "goodbye"
    MOVE_FROM = "move-from"
    MOVE_TO = "move-to"


MOVING = frozenset({LetterKind.MOVE_FROM, LetterKind.MOVE_TO})
"""Letters about a change of address: to the one somebody has, and to the one they want."""


@dataclass(slots=True, kw_only=True)  # made for each message: frozen ones take three times as long
class Envelope:
    """SMTP's sender and recipient (RFC 5321 section 2.3.1)."""

    sender: str
    recipient: str


@dataclass(slots=True, kw_only=True)  # made for each message: frozen ones take three times as long
class Message:
    """Finished bytes (RFC 5322, CRLF line ends, no dot stuffing) for one recipient.

    They are in pieces, of which most are the same bytes objects in all messages of an edition: thousands of messages
    that wait then cost little more memory than one, and the processor's caches hold what is sent again and again.
    """

    envelope: Envelope
    pieces: tuple[bytes, ...]
    plain_lines: bool = False
    """Known from how it was made, so that SMTP need not look: every line end is CRLF, no line begins with a dot, and
    behind the header all is ASCII.
    """

    @property
    def content(self) -> bytes:
        """All of it."""
        return b"".join(self.pieces)
