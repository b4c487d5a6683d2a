"""DKIM signatures (RFC 6376, RFC 8463): c=relaxed/simple, one for each key. Pure: values in, bytes out.

Signing goes over bytes that are final: nobody may touch header or body afterwards but to add fields on top.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from newsletter.model.settings import DkimKey

if TYPE_CHECKING:
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


def is_aligned(domain: str, sender_domain: str) -> bool:
    """Whether a signing domain is the sender's, or one of the two lies within the other (RFC 7489 section 3.1.1)."""
    one, other = domain.lower(), sender_domain.lower()
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def signed(content: bytes, keys: Sequence[SigningKey], *, at: datetime) -> bytes:
    """A finished message (CRLF line ends) with a DKIM-Signature of each key on top. `at` is when it was made."""
    return b"".join((*signatures(content, keys, at=at), content))


def signatures(content: bytes, keys: Sequence[SigningKey], *, at: datetime) -> tuple[bytes, ...]:
    """The DKIM-Signature field of each key, to be put on top."""
    if not keys:
        return ()
    head, _, _ = content.partition(b"\r\n\r\n")
    names, covered = covered_fields(head)
    facts = f"t={int(at.timestamp())}; {names};\r\n bh={body_hash(memoryview(content)[len(head) + 4 :])}"
    return tuple(_field(key, covered, facts) for key in keys)


def covered_fields(head: bytes) -> tuple[str, bytes]:
    """The h= tag, and the fields it names as they are hashed: from the last to the first (section 5.4.2)."""
    found = [_remembered(line) for line in reversed(unfolded(head).split(b"\r\n"))]
    return _names_tag(tuple([name for name, _ in found])), b"".join([field for _, field in found])


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


def _covered(line: bytes) -> tuple[str, bytes]:
    """As `relaxed`, and nothing of a field that is not to be signed."""
    name, field = relaxed(line)
    return (name, field) if name in SIGNED else ("", b"")


# Most fields are the same in every message of an edition.
_remembered = lru_cache(maxsize=256)(_covered)


def body_hash(body: bytes | memoryview) -> str:
    """The hash of a body in simple canonicalisation: as it is, but ending in just one line end (section 3.4.3)."""
    end = len(body)
    while body[max(end - 2, 0) : end] == b"\r\n":
        end -= 2
    seen = hashlib.sha256(body[:end])
    seen.update(b"\r\n")
    return base64.b64encode(seen.digest()).decode()


def _field(key: SigningKey, covered: bytes, facts: str) -> bytes:
    """The whole DKIM-Signature field. What it covers last is itself, with nothing behind b=."""
    unsigned = f"{_opening(key.private.algorithm, key.domain, key.selector)}\r\n {facts};\r\n b=".encode()
    _, itself = relaxed(unfolded(unsigned))
    signature = base64.b64encode(key.private.sign(covered + itself.removesuffix(b"\r\n")))
    return unsigned + b"\r\n ".join(_lines_of(signature)) + b"\r\n"


@lru_cache(maxsize=16)
def _opening(algorithm: str, domain: str, selector: str) -> str:
    """The field down to the selector, a line end before each tag that would stand too far to the right."""
    out, column = "DKIM-Signature:", len("DKIM-Signature:")
    for tag in ("v=1;", f"a={algorithm}-sha256;", "c=relaxed/simple;", f"d={domain};", f"s={selector};"):
        starts_line = column + 1 + len(tag) > _COLUMNS
        column = 1 + len(tag) if starts_line else column + 1 + len(tag)
        out += ("\r\n " if starts_line else " ") + tag
    return out


@lru_cache(maxsize=16)
def _names_tag(found: tuple[str, ...]) -> str:
    """The h= tag for the fields found ("" is none), folded behind colons. The room left of it is for t=."""
    out, column = "h=", len(" t=1234567890; h=")
    for name in (*filter(None, found), *OVERSIGNED):
        if column + len(name) + 1 >= _COLUMNS:
            out, column = out + "\r\n ", 1
        out += f"{name}:"
        column += len(name) + 1
    return out.removesuffix(":")


def _lines_of(signature: bytes) -> Iterator[bytes]:
    yield signature[:_FIRST_B64]
    for at in range(_FIRST_B64, len(signature), _MORE_B64):
        yield signature[at : at + _MORE_B64]
