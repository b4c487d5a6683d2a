"""Putting a reader's values into a document that is encoded already.

The document is cut at its placeholders first and each piece encoded by itself, once; a message then costs the encoding
of a few short values and one join. The other way round an encoding could break a placeholder in two.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from newsletter.model.edition import Rendered
from newsletter.render.recipient import FIELDS
from newsletter.render.transfer import base64_lines, prefers_base64, qp

# ASCII that is the same before and after HTML escaping and quoted-printable, and shorter than a line. It stands at the
# start of one, where there must be no dot.
_AS_IT_IS = re.compile(r"(?!\.)[A-Za-z0-9:/._~@+-]{0,75}")
_THREE = 3


class Merge(Protocol):
    """A part of a message that waits for values."""

    @property
    def encoding(self) -> str:
        """Its Content-Transfer-Encoding."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the values it waits for, in their order."""

    def filled(self, values: Mapping[str, str]) -> list[bytes]:
        """The part with its values, encoded, in pieces; it ends with CRLF."""


def merge_of(document: str, rendered: Rendered, *, markup: bool) -> Merge:
    """A document ready for values, in the encoding that makes it shorter. In `markup` values are escaped."""
    pieces, fields = cut(document.replace("\r\n", "\n").replace("\n", "\r\n"), rendered.nonce)
    if prefers_base64("".join(pieces).encode()):
        return Base64Merge.of(tuple(piece.encode() for piece in pieces), fields, markup=markup)
    return QuotedMerge.of(tuple(piece.encode() for piece in pieces), fields, markup=markup)


def cut(document: str, nonce: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A document's fixed pieces, and the fields between them: always one piece more than fields."""
    found = re.split(f"{nonce}({'|'.join(FIELDS)})", document)
    return tuple(found[::2]), tuple(found[1::2])


@dataclass(frozen=True, slots=True)
class QuotedMerge:
    """Quoted-printable. A soft line break stands before and behind each value, so lines never grow too long."""

    pieces: tuple[bytes, ...]
    fields: tuple[str, ...]
    markup: bool
    encoding: str = "quoted-printable"

    @classmethod
    def of(cls, pieces: tuple[bytes, ...], fields: tuple[str, ...], *, markup: bool) -> QuotedMerge:
        """From raw pieces."""
        last = len(pieces) - 1
        coded = tuple(_softened(qp(piece), first=at == 0, last=at == last) for at, piece in enumerate(pieces))
        return cls(coded, fields, markup)

    def filled(self, values: Mapping[str, str]) -> list[bytes]:
        """The part with its values, in pieces."""
        parts = [self.pieces[0]]
        for field, piece in zip(self.fields, self.pieces[1:], strict=True):
            value = values[field]
            parts += (value.encode() if _AS_IT_IS.fullmatch(value) else self._coded(value), piece)
        return parts

    def _coded(self, value: str) -> bytes:
        return qp((html.escape(value) if self.markup else value).encode())


def _softened(coded: bytes, *, first: bool, last: bool) -> bytes:
    before = b"" if first or coded.startswith(b"\r\n") else b"=\r\n"
    after = b"\r\n" if last else b"=\r\n"
    # What ends with a line end needs no soft break before the value.
    if not last and (not coded or coded.endswith(b"\r\n")):
        after = b""
    return before + coded + after


@dataclass(frozen=True, slots=True)
class _Piece:
    """A fixed piece as it follows after 0, 1 or 2 bytes that are not encoded yet.

    `head` fills those bytes up to a group of three, `middle` is encoded, `tail` is left over. A piece too short for a
    group is all head, and not `whole`.
    """

    head: bytes
    middle: bytes
    tail: bytes
    whole: bool


@dataclass(frozen=True, slots=True)
class Base64Merge:
    """Base64. Its groups of three bytes run across the values, so each piece is kept for all three ways it can fall."""

    first: _Piece
    pieces: tuple[tuple[_Piece, _Piece, _Piece], ...]
    fields: tuple[str, ...]
    markup: bool
    encoding: str = "base64"

    @classmethod
    def of(cls, pieces: tuple[bytes, ...], fields: tuple[str, ...], *, markup: bool) -> Base64Merge:
        """From raw pieces."""
        rest = tuple((_piece(raw, 0), _piece(raw, 1), _piece(raw, 2)) for raw in pieces[1:])
        return cls(_piece(pieces[0], 0), rest, fields, markup)

    def filled(self, values: Mapping[str, str]) -> list[bytes]:
        """The part with its values, in pieces."""
        out = [self.first.middle]
        loose = self.first.head + self.first.tail
        for field, ways in zip(self.fields, self.pieces, strict=True):
            value = values[field]
            loose += (html.escape(value) if self.markup else value).encode()
            piece = ways[len(loose) % _THREE]
            loose += piece.head
            if piece.whole:
                out += (base64_lines(loose), piece.middle)
                loose = piece.tail
        out.append(base64_lines(loose))
        return out


def _piece(raw: bytes, waiting: int) -> _Piece:
    fill = -waiting % _THREE
    if len(raw) < fill:
        return _Piece(raw, b"", b"", whole=False)
    end = fill + (len(raw) - fill) // _THREE * _THREE
    return _Piece(raw[:fill], base64_lines(raw[fill:end]), raw[end:], whole=True)
