"""Keys for DKIM: made, read, and written as the DNS wants them (RFC 6376 section 3.6, RFC 8463). Pure, but for luck."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from newsletter.errors import DkimKeyError

_LEAST_BITS: Final = 1024
_GOOD_BITS: Final = 2048
_MOST_BITS: Final = 4096
_EXPONENT: Final = 65537
_DNS_STRING: Final = 255


class Algorithm(StrEnum):
    """What a key signs with, as its DNS record says it."""

    RSA = "rsa"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key that signs: the same bytes for the same data, always."""

    _key: RSAPrivateKey | Ed25519PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> Algorithm:
        """What it signs with."""
        return Algorithm.RSA if isinstance(self._key, RSAPrivateKey) else Algorithm.ED25519

    @property
    def bits(self) -> int:
        """How long it is; all Ed25519 keys are equally long."""
        return self._key.key_size if isinstance(self._key, RSAPrivateKey) else 256

    def sign(self, data: bytes) -> bytes:
        """The signature. Ed25519 signs the data's SHA-256, not the data (RFC 8463 section 3)."""
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(data, PKCS1v15(), hashes.SHA256())
        return self._key.sign(hashlib.sha256(data).digest())

    def public(self) -> str:
        """The other half in base64: for RSA with its envelope (SubjectPublicKeyInfo), for Ed25519 bare."""
        is_rsa = isinstance(self._key, RSAPrivateKey)
        encoding, shape = (
            (Encoding.DER, PublicFormat.SubjectPublicKeyInfo) if is_rsa else (Encoding.Raw, PublicFormat.Raw)
        )
        return base64.b64encode(self._key.public_key().public_bytes(encoding, shape)).decode()


def read_key(pem: str) -> PrivateKey:
    """The key in a PEM text, PKCS#8 or PKCS#1. DkimKeyError says which rule it breaks."""
    if "PRIVATE KEY-----" not in pem:
        what = "this is the public half" if "PUBLIC KEY-----" in pem else "there is none in it"
        raise DkimKeyError(f"expected a private key in PEM: {what}")
    # Causes are not chained: nobody promises that a parser's complaint does not quote what it read.
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        raise DkimKeyError("expected a key without a password") from None
    except UnsupportedAlgorithm:
        raise DkimKeyError("expected an RSA or Ed25519 key") from None
    except ValueError:
        raise DkimKeyError("expected a private key in PEM: it is damaged") from None
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise DkimKeyError("expected an RSA or Ed25519 key")
    if isinstance(key, RSAPrivateKey) and key.key_size < _LEAST_BITS:
        raise DkimKeyError(f"expected an RSA key of at least {_LEAST_BITS} bits, better {_GOOD_BITS}")
    return PrivateKey(key)


def new_key(algorithm: Algorithm) -> str:
    """A new key as PEM (PKCS#8)."""
    made: RSAPrivateKey | Ed25519PrivateKey = (
        generate_private_key(_EXPONENT, _GOOD_BITS) if algorithm is Algorithm.RSA else Ed25519PrivateKey.generate()
    )
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The TXT record that shows a key's public half to the world."""

    name: str
    value: str

    @classmethod
    def of(cls, key: PrivateKey, *, domain: str, selector: str) -> Record:
        """The record of a key."""
        return cls(
            name=f"{selector}._domainkey.{domain}",
            value=f"v=DKIM1; k={key.algorithm}; p={key.public()}",
        )

    @property
    def strings(self) -> tuple[str, ...]:
        """The value as a DNS message carries it: strings of no more than 255 bytes, joined by whoever reads them."""
        return tuple(self.value[at : at + _DNS_STRING] for at in range(0, len(self.value), _DNS_STRING))

    @property
    def zone_lines(self) -> tuple[str, ...]:
        """The record as a zone file spells it (RFC 1035 section 5.1)."""
        *most, last = (f'    "{string}"' for string in self.strings)
        return (f"{self.name}. 3600 IN TXT (", *most, f"{last} )")


def weaknesses(key: PrivateKey) -> Iterator[str]:
    """What makes a key that can be used worse than another."""
    if key.algorithm is Algorithm.RSA and key.bits < _GOOD_BITS:
        yield f"RSA of {key.bits} bits: some providers count it as no signature; make one of {_GOOD_BITS}"
    if key.algorithm is Algorithm.RSA and key.bits > _MOST_BITS:
        yield f"RSA of {key.bits} bits: verifiers need not take more than {_MOST_BITS} (RFC 8301)"


def weaknesses_together(algorithms: Sequence[Algorithm]) -> Iterator[str]:
    """What a choice of keys lacks."""
    if algorithms and Algorithm.RSA not in algorithms:
        yield "only Ed25519: many large providers verify RSA alone; let an RSA key sign beside it"
