"""Putting UTF-8 text into lines of ASCII: quoted-printable and base64 (RFC 2045 section 6)."""

from __future__ import annotations

import binascii
import re

LINE = 76
"""Longest line of either encoding, its CRLF not counted."""

# Printable ASCII but "="; blanks are looked at apart, for they may not end a line.
_CODED = re.compile(rb"[^ -<>-~\t]")


def qp(data: bytes) -> bytes:
    """`data` (any line ends) in quoted-printable, without a line end of its own behind the last line."""
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    return b"\r\n".join(_qp_line(line) for line in lines)


def _qp_line(line: bytes) -> bytes:
    coded = _CODED.sub(lambda byte: b"=%02X" % byte[0][0], line)
    if coded[-1:] in {b" ", b"\t"}:
        coded = coded[:-1] + b"=%02X" % coded[-1]
    # Old mail stores put ">" before a line that begins so; an encoded letter stops them (RFC 2049 section 3).
    if coded.startswith(b"From "):
        coded = b"=46" + coded[1:]
    return _soft_wrapped(_dotless(coded))


def _soft_wrapped(coded: bytes) -> bytes:
    pieces: list[bytes] = []
    # A last line has no "=" at its end here but may get one where a value follows: 75 for all.
    while len(coded) > LINE - 1:
        cut = LINE - 1
        for back in (1, 2):
            if coded[cut - back : cut - back + 1] == b"=":
                cut -= back
                break
        pieces.append(coded[:cut] + b"=")
        coded = _dotless(coded[cut:])
    return b"\r\n".join([*pieces, coded])


def _dotless(line: bytes) -> bytes:
    # SMTP doubles a dot at the start of a line; where there is none, nobody has to search each message for it.
    return b"=2E" + line[1:] if line.startswith(b".") else line


def base64_lines(data: bytes) -> bytes:
    """`data` in base64, each line ended by CRLF."""
    step = LINE // 4 * 3
    return b"".join(
        binascii.b2a_base64(data[at : at + step], newline=False) + b"\r\n" for at in range(0, len(data), step)
    )


def prefers_base64(data: bytes) -> bool:
    """Whether base64 is the shorter way to write `data`. Readable quoted-printable wins a tie."""
    return len(qp(data)) > len(data) * 78 / 57


def encoded_bytes(text: str) -> int:
    """The size of a part as it travels."""
    data = text.replace("\n", "\r\n").encode()
    return min(len(qp(data)), -(-len(data) // 57) * 78)
