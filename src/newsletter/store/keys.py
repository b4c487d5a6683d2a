"""How addresses are compared, and how one is kept that must not be kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from newsletter.model.keyed import Keyed
from newsletter.model.subscriber import address_key, mailbox_key


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressKeys:
    """`key_of` says which addresses are the same; `secret` keeps suppressed ones from being guessed."""

    secret: bytes
    key_of: Callable[[str], str] = mailbox_key

    def keys_of(self, address: str) -> tuple[str, ...]:
        """What an address may be kept under, the likeliest first: rows of old have a key of their own spelling."""
        return tuple(dict.fromkeys((self.key_of(address), address_key(address))))

    def hashes_of(self, address: str) -> tuple[str, ...]:
        """The same for suppressions."""
        return self.hashes_of_key(self.key_of(address), address)

    def hashes_of_key(self, key: str, address: str) -> tuple[str, ...]:
        """The same where `key_of` was asked already."""
        plain, kept = address_key(address), self.hash_of_key(key)
        return (kept,) if plain == key else (kept, self.hash_of_key(plain))

    def hash_of(self, address: str) -> str:
        """The keyed hash under which an address is suppressed: 64 hexadecimal digits."""
        return self.hash_of_key(self.key_of(address))

    def hash_of_key(self, key: str) -> str:
        """The same for what `key_of` made of the address."""
        return _keyed(self.secret).digest(key.encode()).hex()


_keyed = lru_cache(maxsize=4)(Keyed)
