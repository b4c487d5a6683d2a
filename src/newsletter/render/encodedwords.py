"""Words of a header beyond ASCII: RFC 2047's encoded words, and phrases (RFC 5322 section 3.2.5)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

_WORD = 75
"""Longest encoded word, delimiters included (RFC 2047 section 2)."""
_LINE = 78
"""Longest line that RFC 5322 section 2.1.1 recommends."""

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_SPECIAL = re.compile(r'(["\\])')
# RFC 2047 section 5 (3): the only signs that Q may leave as they are inside a phrase.
_Q_PLAIN = re.compile(rb"[A-Za-z0-9!*+/-]")
_B, _Q = "=?utf-8?b?", "=?utf-8?q?"


def unstructured(name: str, text: str) -> str:
    """The header field `name: text`, folded, its CRLF included. `text` is one line without controls."""
    if not text.isascii():
        return f"{name}: {encoded_words(text, first_room=_LINE - len(name) - 2)}\r\n"
    return _folded(name, text) + "\r\n"


def phrase(text: str) -> str:
    """A display name: as it is, quoted, or as encoded words on lines of their own."""
    if _ATOMS.fullmatch(text) and "=?" not in text:
        return text
    if text.isascii():
        return '"' + _SPECIAL.sub(r"\\\1", text) + '"'
    # Room for the longest name of a header that holds a phrase, "Reply-To: ".
    return encoded_words(text, first_room=_LINE - 10)


def encoded_words(text: str, *, first_room: int) -> str:
    """`text` as encoded words, split between characters, each on its own line. The first has `first_room` columns.

    B or Q, whichever is shorter: Q stays legible for a name with one accent, B halves the length for other scripts.
    """
    data = text.encode()
    use_b = len(data) * 4 / 3 < sum(len(_q(byte)) for byte in data)
    chunks = _chunks(text, use_b=use_b, first_room=min(first_room, _WORD))
    return "\r\n ".join(_word(chunk, use_b=use_b) for chunk in chunks)


def _chunks(text: str, *, use_b: bool, first_room: int) -> Iterator[bytes]:
    chunk, room = b"", first_room
    for char in text:
        longer = chunk + char.encode()
        if chunk and len(_word(longer, use_b=use_b)) > room:
            yield chunk
            chunk, room = char.encode(), _WORD
        else:
            chunk = longer
    yield chunk


def _word(data: bytes, *, use_b: bool) -> str:
    if use_b:
        return _B + binascii.b2a_base64(data, newline=False).decode() + "?="
    return _Q + "".join(_q(byte) for byte in data) + "?="


def _q(byte: int) -> str:
    if byte == ord(" "):
        return "_"
    return chr(byte) if _Q_PLAIN.match(bytes([byte])) else f"={byte:02X}"


def _folded(name: str, text: str) -> str:
    """Folded before a blank where a line would be longer than 78; a single long word stays whole."""
    lines: list[str] = []
    line = f"{name}:"
    for word in text.split(" "):
        if len(line) + 1 + len(word) > _LINE and line != f"{name}:":
            lines.append(line)
            line = ""
        line += " " + word
    return "\r\n".join([*lines, line])
