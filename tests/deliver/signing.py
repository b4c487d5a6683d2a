"""What the tests of signatures share: keys, their records, messages, and what dkimpy says of them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import dkim as dkimpy

from newsletter.deliver.dkim import SigningKey, signatures
from newsletter.deliver.dkimkeys import Algorithm, Record, new_key, read_key
from newsletter.render.environment import Templates

AT = datetime(2026, 1, 5, 7, tzinfo=UTC)
"""Verifiers do not believe a time to come, so this is before any clock that a test may run by."""
TEMPLATES = Templates([Path(__file__).parents[2] / "templates" / "email"])
_PRIVATE = {algorithm: read_key(new_key(algorithm)) for algorithm in Algorithm}


def signing_key(algorithm: Algorithm, *, domain: str = "news.example.org") -> SigningKey:
    """A key of this kind; its selector is its kind."""
    return SigningKey(domain=domain, selector=algorithm, private=_PRIVATE[algorithm])


KEYS = (signing_key(Algorithm.RSA), signing_key(Algorithm.ED25519))


def signed(message: bytes, keys: Sequence[SigningKey], *, at: datetime) -> bytes:
    """A finished message with its signatures on top."""
    return b"".join((*signatures((message,), keys, at=at), message))


def records(keys: Iterable[SigningKey] = KEYS) -> dict[str, str]:
    """What the DNS would say."""
    found = [Record.of(key.private, domain=key.domain, selector=key.selector) for key in keys]
    return {record.name: record.value for record in found}


def verified(message: bytes, dns: dict[str, str] | None = None) -> list[bool]:
    """Whether dkimpy believes each signature, from the top."""
    known = records() if dns is None else dns

    def look_up(name: bytes, timeout: int = 5) -> bytes:
        return known[name.decode().rstrip(".")].encode()

    def is_believed(which: int) -> bool:
        try:
            return bool(dkimpy.DKIM(message).verify(which, dnsfunc=look_up))
        except dkimpy.ValidationError as error:
            # So it says that the body has another hash. What else it complains of is no verdict.
            if "body hash mismatch" not in str(error):
                raise
            return False

    count = sum(line.lower().startswith(b"dkim-signature:") for line in message.split(b"\r\n\r\n", 1)[0].split(b"\r\n"))
    return [is_believed(which) for which in range(count)]
