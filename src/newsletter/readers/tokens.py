"""Tokens in links and return paths: who it is about, sealed, so that nobody can make or guess another's.

A token is 29 lower-case letters and digits (base32): one byte that names the key, ten of MAC, seven of masked id.
The mask comes from the MAC, so one id always gives one token, and tokens tell neither ids nor how many there are.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from newsletter.errors import TokenError
from newsletter.model.keyed import Keyed

_MAC_BYTES: Final = 10
_ID_BYTES: Final = 7
_ID_DIGITS: Final = 16
_SIZE: Final = 1 + _MAC_BYTES + _ID_BYTES
_number: Final = int.from_bytes
_SHAPE: Final = re.compile(r"[a-z2-7]{29}")

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
# Python reads numbers in base 32 by itself, only with another alphabet.
_AS_DIGITS: Final = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")
# Ten bits at a time: half as many steps as letter by letter.
_PAIRS: Final = tuple(a + b for a in _ALPHABET for b in _ALPHABET)
_SIXTY_BITS: Final = 2**60 - 1


class Purpose(StrEnum):
    """What a token is good for; a token of one purpose is worthless for any other.

    The first three carry a subscription id; `bounce` a delivery's id in the ledger of editions, `letter` one in that
    of letters; the last two a change of address.
    """

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"
    BOUNCE = "bounce"
    LETTER = "letter"
    MOVE_FROM = "move-from"
    MOVE_TO = "move-to"


@dataclass(frozen=True, slots=True)
class _Seal:
    """One key's part in one purpose."""

    key_id: bytes
    mac_with: Keyed
    mask_with: Keyed

    def mac(self, plain: bytes) -> bytes:
        return self.mac_with.digest(plain)[:_MAC_BYTES]

    def masked(self, mac: bytes, plain: bytes) -> bytes:
        pad = self.mask_with.digest(mac)[:_ID_BYTES]
        return (int.from_bytes(pad, "big") ^ int.from_bytes(plain, "big")).to_bytes(_ID_BYTES, "big")


class Tokens:
    """Makes and reads the site's tokens. The first key signs, all of them verify: keys can be changed at any time.

    `reread` says what the keys are now. It is asked about a token that no key of ours made, so that a program that has
    been running since before a rotation reads the links of one that was started after it.
    """

    __slots__ = ("_keys", "_reread", "_seals")

    def __init__(self, keys: tuple[bytes, ...], *, reread: Callable[[], tuple[bytes, ...]] | None = None) -> None:
        if not keys or any(len(key) < 16 for key in keys):  # noqa: PLR2004 128 bits, as everywhere
            raise ValueError("tokens need at least one key, each of at least 16 bytes")
        self._keys = keys
        self._reread = reread
        self._seals = _seals(keys)

    def make(self, purpose: Purpose, id: int) -> str:  # noqa: A002 what it is called everywhere
        """The token for this id; it never expires, and is the same each time."""
        seal = self._seals[purpose][0]
        mac = seal.mac_with.digest(id.to_bytes(_ID_BYTES, "big"))[:_MAC_BYTES]
        masked = _number(seal.mask_with.digest(mac)[:_ID_BYTES], "big") ^ id
        return _spelt(_number(seal.key_id + mac, "big") << 8 * _ID_BYTES | masked)

    def read(self, purpose: Purpose, token: str) -> int:
        """The id a token was made for, or TokenError. Case does not matter: some mail servers fold it in addresses."""
        raw = _unspelt(token)
        found = self._opened(purpose, raw)
        if found is None and self._has_new_keys():
            found = self._opened(purpose, raw)
        if found is None:
            raise TokenError(f"not a token this site made for {purpose}")
        return found

    def _opened(self, purpose: Purpose, raw: bytes) -> int | None:
        key_id, mac, masked = raw[:1], raw[1 : 1 + _MAC_BYTES], raw[1 + _MAC_BYTES :]
        for seal in self._seals[purpose]:
            plain = seal.masked(mac, masked)
            if key_id == seal.key_id and hmac.compare_digest(mac, seal.mac(plain)):
                return int.from_bytes(plain, "big")
        return None

    def _has_new_keys(self) -> bool:
        """Take over a key that was added since; whether there was one."""
        keys = self._reread() if self._reread is not None else self._keys
        if keys == self._keys:
            return False
        self._keys, self._seals = keys, _seals(keys)
        return True


def token_id(token: str) -> str:
    """A name for a token that is not the token: by it a link that somebody shows us is found in the record."""
    return sha256(token.lower().encode("utf-8", "replace")).hexdigest()[:_ID_DIGITS]


def _seals(keys: tuple[bytes, ...]) -> dict[Purpose, tuple[_Seal, ...]]:
    return {purpose: tuple(_seal(key, purpose) for key in keys) for purpose in Purpose}


def _seal(key: bytes, purpose: Purpose) -> _Seal:
    def derived(use: str) -> bytes:
        return hmac.digest(key, f"newsletter token {use}".encode(), "sha256")

    return _Seal(
        # Says which key, and nothing about it: all purposes share it.
        key_id=sha256(derived("key id")).digest()[:1],
        mac_with=Keyed(derived(f"{purpose} mac")),
        mask_with=Keyed(derived(f"{purpose} mask")),
    )


def _spelt(number: int) -> str:
    """144 bits in 29 letters, with one bit over."""
    # Shifting short numbers is quicker, and three of these are made for each message.
    pairs, high, low = _PAIRS, number >> 84, number << 6 & _SIXTY_BITS
    middle = number >> 54 & 0x3FFFFFFF
    return (
        f"{pairs[high >> 50]}{pairs[high >> 40 & 1023]}{pairs[high >> 30 & 1023]}{pairs[high >> 20 & 1023]}"
        f"{pairs[high >> 10 & 1023]}{pairs[high & 1023]}"
        f"{pairs[middle >> 20]}{pairs[middle >> 10 & 1023]}{pairs[middle & 1023]}"
        f"{pairs[low >> 50]}{pairs[low >> 40 & 1023]}{pairs[low >> 30 & 1023]}{pairs[low >> 20 & 1023]}"
        f"{pairs[low >> 10 & 1023]}{pairs[low & 1023][0]}"
    )


def _unspelt(token: str) -> bytes:
    lowered = token.lower()
    if not _SHAPE.fullmatch(lowered):
        raise TokenError("not a token: expected 29 letters and digits")
    number = int(lowered.translate(_AS_DIGITS), 32)
    if number & 1:
        # Every token has one spelling only, or a refused one could be made to look new.
        raise TokenError("not a token this site made")
    return (number >> 1).to_bytes(_SIZE, "big")
