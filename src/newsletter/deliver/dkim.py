"""DKIM signatures (RFC 6376, RFC 8463): c=relaxed/simple, one for each key. Pure: values in, bytes out.

Signing goes over bytes that are final: nobody may touch header or body afterwards but to add fields on top.
"""

from __future__ import annotations

import hashlib
import os
import re
from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from newsletter.model.settings import DkimKey

if TYPE_CHECKING:
    from hashlib import _Hash as HASH

    from newsletter.deliver.dkimkeys import PrivateKey

SIGNED: Final = frozenset(
    "from to subject date message-id reply-to mime-version content-type list-id list-unsubscribe list-unsubscribe-post "
    "list-archive list-help list-post auto-submitted feedback-id content-language".split()
)
"""The fields a signature covers where a message has them. Precedence is not among them: relays may change it."""

OVERSIGNED: Final = tuple(
    "from to subject date message-id reply-to content-type list-unsubscribe list-unsubscribe-post".split()
)
"""Those that nobody may add another of: named once more than they occur (RFC 6376 section 8.15)."""

_HEADER_END: Final = b"\r\n\r\n"
_REMEMBERED: Final = 256
# From 2048 bytes on hashlib lets other threads go on, and then waits for them.
_KEEPS_TURN: Final = 2047
_BLANKS: Final = re.compile(rb"[ \t]+")
_COLUMNS: Final = 78
_FIRST_B64: Final = 74
_MORE_B64: Final = 77


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key, and where the DNS shows its other half."""

    domain: str
    selector: str
    private: PrivateKey


def signing_keys(keys: Iterable[DkimKey], *, sender_domain: str) -> tuple[SigningKey, ...]:
    """The configured keys, read; those that count for DMARC come first. DkimKeyError if a key cannot be used."""
    keys = sorted(keys, key=lambda key: not is_aligned(key.domain, sender_domain))
    return tuple(SigningKey(domain=key.domain, selector=key.selector, private=_read(key.pem.reveal())) for key in keys)


def _read(pem: str) -> PrivateKey:
    from newsletter.deliver.dkimkeys import read_key  # noqa: PLC0415 slow to load, most commands do not sign

    return read_key(pem)


def builders(keys: Iterable[SigningKey]) -> int:
    """How many threads to make messages in: an RSA signature takes long, and needs no turn of the interpreter.

    All else is done sooner than a thread has its turn, and is left to the event loop.
    """
    return (os.cpu_count() or 1) if any(key.private.algorithm == "rsa" for key in keys) else 0


def is_aligned(domain: str, sender_domain: str) -> bool:
    """Whether a signing domain is the sender's, or one of the two lies within the other (RFC 7489 section 3.1.1)."""
    one, other = domain.lower(), sender_domain.lower()
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def signatures(pieces: Sequence[bytes], keys: Sequence[SigningKey], *, at: datetime) -> tuple[bytes, ...]:
    """The DKIM-Signature field of each key, to be put on top of a message in `pieces`.

    Pieces that belong to its header alone are whole fields. What most messages share is looked at once: the piece that
    the header ends in, and the body's beginning.
    """
    if not keys:
        return ()
    last = next(at for at, piece in enumerate(pieces) if _HEADER_END in piece)
    end = _end_of_header(pieces[last])
    found = end.found + tuple([field for piece in reversed(pieces[:last]) for field in _fields(piece)])
    names = tuple([name for name, _ in found])
    covered = b"".join([field for _, field in found])
    hashed = body_hash((end.body, *pieces[last + 1 :]))
    return tuple([_signature(key, covered, _form(key, names, int(at.timestamp())), hashed) for key in keys])


@dataclass(frozen=True, slots=True)
class _End:
    """The end of a header, and what follows it in the same piece."""

    found: tuple[tuple[str, bytes], ...]
    body: bytes


@lru_cache(maxsize=_REMEMBERED)
def _end_of_header(piece: bytes) -> _End:
    head, _, body = piece.partition(_HEADER_END)
    return _End(tuple(_fields(head)), body)


def _fields(head: bytes) -> list[tuple[str, bytes]]:
    """The covered fields of a header's piece as they are hashed: from the last to the first (section 5.4.2)."""
    found = [relaxed(line) for line in reversed(unfolded(head).split(b"\r\n"))]
    return [(name, field) for name, field in found if name in SIGNED]


def unfolded(head: bytes) -> bytes:
    """A header block with each field on a line of its own."""
    return head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b"\t")


def relaxed(line: bytes) -> tuple[str, bytes]:
    """An unfolded field's name, and the field as relaxed canonicalisation has it (section 3.4.2)."""
    name, _, value = line.partition(b":")
    name = name.rstrip(b" \t").lower()
    if b"\t" in value or b"  " in value:
        value = _BLANKS.sub(b" ", value)
    return name.decode("ascii", "replace"), b"%s:%s\r\n" % (name, value.strip(b" "))


def body_hash(pieces: Sequence[bytes]) -> bytes:
    """The hash of a body in simple canonicalisation: as it is, but ending in just one line end (section 3.4.3)."""
    end, many = b"", len(pieces)
    while many and not end.strip(b"\r\n"):
        many -= 1
        end = pieces[many] + end
    while end.endswith(b"\r\n"):
        end = end[:-2]
    seen = _begun(*pieces[: min(many, 2)]).copy()
    for piece in pieces[2:many]:
        for part in _parts(piece) if len(piece) > _KEEPS_TURN else (piece,):
            seen.update(part)
    seen.update(end + b"\r\n")
    return b2a_base64(seen.digest(), newline=False)


@lru_cache(maxsize=_REMEMBERED)
def _begun(*pieces: bytes) -> HASH:
    """The hash of a body that is still to be gone on with."""
    return hashlib.sha256(b"".join(pieces))


@lru_cache(maxsize=_REMEMBERED)
def _parts(piece: bytes) -> tuple[memoryview, ...]:
    """Parts so short that hashing them takes one turn: to get another costs as much as a message's hash."""
    return tuple(memoryview(piece)[at : at + _KEEPS_TURN] for at in range(0, len(piece), _KEEPS_TURN))


@dataclass(frozen=True, slots=True)
class _Form:
    """A DKIM-Signature field up to the hash of the body: as it is sent, and as it is hashed."""

    sent: bytes
    hashed: bytes


@lru_cache(maxsize=_REMEMBERED)
def _form(key: SigningKey, names: tuple[str, ...], at: int) -> _Form:
    opening = _opening(key.private.algorithm, key.domain, key.selector)
    sent = f"{opening}\r\n t={at}; {_names_tag(names)};\r\n bh=".encode()
    return _Form(sent, relaxed(unfolded(sent))[1].removesuffix(b"\r\n"))


def _signature(key: SigningKey, covered: bytes, form: _Form, body: bytes) -> bytes:
    """The whole DKIM-Signature field. What it covers last is itself, with nothing behind b=."""
    signature = b2a_base64(key.private.sign(b"%s%s%s; b=" % (covered, form.hashed, body)), newline=False)
    return b"%s%s;\r\n b=%s\r\n" % (form.sent, body, b"\r\n ".join(_lines_of(signature)))


def _opening(algorithm: str, domain: str, selector: str) -> str:
    """The field down to the selector, a line end before each tag that would stand too far to the right."""
    out, column = "DKIM-Signature:", len("DKIM-Signature:")
    for tag in ("v=1;", f"a={algorithm}-sha256;", "c=relaxed/simple;", f"d={domain};", f"s={selector};"):
        starts_line = column + 1 + len(tag) > _COLUMNS
        column = 1 + len(tag) if starts_line else column + 1 + len(tag)
        out += ("\r\n " if starts_line else " ") + tag
    return out


def _names_tag(found: tuple[str, ...]) -> str:
    """The h= tag for the fields found, folded behind colons. The room left of it is for t=."""
    out, column = "h=", len(" t=1234567890; h=")
    for name in (*found, *OVERSIGNED):
        if column + len(name) + 1 >= _COLUMNS:
            out, column = out + "\r\n ", 1
        out += f"{name}:"
        column += len(name) + 1
    return out.removesuffix(":")


def _lines_of(signature: bytes) -> Iterator[bytes]:
    yield signature[:_FIRST_B64]
    for at in range(_FIRST_B64, len(signature), _MORE_B64):
        yield signature[at : at + _MORE_B64]
