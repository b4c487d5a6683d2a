"""How messages, addresses and replies look on an SMTP connection. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

import idna

from newsletter.model.delivery import Reply
from newsletter.model.message import Message
from newsletter.model.text import one_line

_ENHANCED: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")
_BARE_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
# What would end the address on its line, or begin another parameter or command.
_UNSAFE: Final = re.compile(r"[\s<>\x00-\x1f\x7f]")
_ADDRESS: Final = re.compile(r"\S*@\S*")
_REPLY_LENGTH: Final = 500
_HEADER_END: Final = b"\r\n\r\n"
SERVICE_CLOSING: Final = 421
START_INPUT: Final = 354
TOO_LARGE: Final = 552


@lru_cache(maxsize=64)  # most servers say the same to everybody
def reply_from(code: int, text: str) -> Reply:
    """A server's reply: the enhanced code of its first line apart, the lines joined, and made safe to keep."""
    found = _ENHANCED.match(text)
    enhanced = found[1] if found else ""
    words = " ".join(line.removeprefix(enhanced).strip() for line in text.splitlines())
    # Four replies to a message: nearly all are short and plain, and need no more.
    harmless = len(words) <= _REPLY_LENGTH and words.isascii() and words.isprintable()
    return Reply(code=code, enhanced=enhanced, text=words if harmless else one_line(words, limit=_REPLY_LENGTH))


def without_addresses(text: str) -> str:
    """`text` fit for a log: servers like to repeat whom they refuse, and our return path has a token in it."""
    return _ADDRESS.sub("…", text)


def ehlo_name(host: str) -> str:
    """A host as EHLO wants it (RFC 5321 section 4.1.4): a domain in ASCII, or an address in brackets."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        try:
            return host if host.isascii() else idna.encode(host, uts46=True).decode()
        except idna.IDNAError:
            return "localhost"
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"  # noqa: PLR2004


def path(address: str) -> str | None:
    """An address as it goes between the angle brackets, its domain in ASCII; None if it cannot go there.

    It still holds other characters if the local part does: then the server must offer SMTPUTF8 (RFC 6531).
    """
    if _UNSAFE.search(address):
        return None
    if address.isascii():
        return address
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return None


def stuffed(content: bytes) -> bytes:
    """`content` with a dot before each line that begins with one (RFC 5321 section 4.5.2), ending in a line end.

    Every line end becomes CRLF: to some servers a bare LF before a lone dot ends the message, and what follows would
    be commands of whoever wrote the text.
    """
    if not content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r"):
        content = _BARE_LINE_END.sub(b"\r\n", content)
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    content = content.replace(b"\r\n.", b"\r\n..")
    return b"." + content if content.startswith(b".") else content


def head_of(pieces: Sequence[bytes]) -> Sequence[bytes]:
    """The pieces of a message down to the one in which its header ends."""
    for number, piece in enumerate(pieces, start=1):
        if _HEADER_END in piece:
            return pieces[:number]
    return pieces


def needs(pieces: Sequence[bytes], *paths: str) -> frozenset[str]:
    """The SMTP extensions a message cannot do without: 8BITMIME, SMTPUTF8, or none."""
    if all(map(bytes.isascii, pieces)):
        return frozenset() if all(path.isascii() for path in paths) else frozenset({"SMTPUTF8"})
    head = b"".join(pieces).partition(_HEADER_END)[0]
    if head.isascii() and all(path.isascii() for path in paths):
        return frozenset({"8BITMIME"})
    return frozenset({"8BITMIME", "SMTPUTF8"})


@dataclass(slots=True, kw_only=True)  # made for each message: frozen ones take three times as long
class Packed:
    """A message as it goes over the wire, but for its final dot: `sender` and `recipient` are paths."""

    sender: str
    recipient: str
    pieces: Sequence[bytes]
    size: int
    """How many bytes those are."""
    needs: frozenset[str]


def packed(message: Message) -> Packed | Reply:
    """A message made ready for any server; a refusal in our own words if its addresses fit into no command."""
    sender, recipient = path(message.envelope.sender), path(message.envelope.recipient)
    if sender is None or recipient is None:
        return Reply(code=553, enhanced="5.1.3", text="the address cannot be put into an SMTP command")
    pieces = message.pieces if message.plain_lines else (stuffed(message.content),)
    return Packed(
        sender=sender,
        recipient=recipient,
        pieces=pieces,
        size=sum(map(len, pieces)),
        needs=needs(head_of(pieces) if message.plain_lines else pieces, sender, recipient),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a relay said to EHLO: extensions in capitals, and the largest message it takes (0: it did not say)."""

    relay: str
    extensions: frozenset[str]
    size: int

    def lacking(self, message: Packed) -> Reply | None:
        """The relay's answer to what it does not offer, known without asking."""
        missing = sorted(message.needs - self.extensions, reverse=True)
        if missing:
            enhanced = "5.6.7" if missing[0] == "SMTPUTF8" else "5.6.3"
            return Reply(code=554, enhanced=enhanced, text=f"relay {self.relay} does not offer {missing[0]}")
        if 0 < self.size < message.size:
            text = f"relay {self.relay} takes {self.size} bytes, the message has {message.size}"
            return Reply(code=552, enhanced="5.3.4", text=text)
        return None

    def options(self, message: Packed) -> str:
        """What MAIL says besides the sender."""
        size = f" SIZE={message.size}" if "SIZE" in self.extensions else ""
        eight_bit = " BODY=8BITMIME" if "8BITMIME" in message.needs else ""
        return size + eight_bit + (" SMTPUTF8" if "SMTPUTF8" in message.needs else "")

    def envelope(self, message: Packed) -> bytes:
        """MAIL, RCPT and DATA in one piece (RFC 2920)."""
        mail = f"MAIL FROM:<{message.sender}>{self.options(message)}"
        return f"{mail}\r\nRCPT TO:<{message.recipient}>\r\nDATA\r\n".encode()


def is_about_us(reply: Reply) -> bool:
    """Whether a refusal of MAIL would meet everybody: a relay that does not know us must not cost anyone a delivery."""
    if reply.code == TOO_LARGE or reply.enhanced.endswith(".3.4"):
        return False
    return reply.code == SERVICE_CLOSING or reply.code // 100 == 5  # noqa: PLR2004


def label(reply: Reply) -> str:
    """A reply in short, fit for a log."""
    return " ".join(word for word in (str(reply.code), reply.enhanced, without_addresses(reply.text)) if word)
