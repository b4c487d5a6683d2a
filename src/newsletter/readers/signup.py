"""What keeps sign-up forms from being used against others: what a form carries, and whom a request is counted with."""

from __future__ import annotations

import hmac
import ipaddress
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from newsletter.model.subscriber import mailbox_key

QUICKEST = timedelta(seconds=3)
"""Nobody reads a form, types an address and presses the button in less."""
_LONGEST = timedelta(days=2)
_V6_SITE = 64
_MAC_DIGITS = 32


class SignUps:
    """Stamps forms and names networks, with a key of the site's. Neither needs a cookie or a row in the store."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"newsletter sign-up forms", sha256)

    def stamp(self, shown: str, *, now: datetime) -> str:
        """What a form carries in a hidden field: when it was handed out, sealed with the words that it shows."""
        seconds = str(int(now.timestamp()))
        return f"{seconds}.{self._mac(f'{seconds} {shown}')}"

    def age(self, stamp: str, shown: str, *, now: datetime) -> timedelta | None:
        """How long ago a form with these very words was handed out; None if it was not, or days ago."""
        seconds, _, mac = stamp.partition(".")
        if not (seconds.isascii() and seconds.isdigit() and mac.isascii()):
            return None
        if not hmac.compare_digest(mac, self._mac(f"{seconds} {shown}")):
            return None
        age = now - datetime.fromtimestamp(int(seconds), UTC)
        return age if age <= _LONGEST else None

    def network(self, host: str) -> str:
        """Whom a request is counted with, as a name that tells nothing: an IPv4 address, or an IPv6 network of 64 bits.

        A household has one of those, and 2**64 addresses in it.
        """
        return self._mac(f"network {network_of(host)}")

    def name(self, address: str) -> str:
        """A name for a mailbox that tells nothing, to count what is sent to it."""
        return self._mac(f"mailbox {mailbox_key(address)}")

    def _mac(self, text: str) -> str:
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), sha256).hex()[:_MAC_DIGITS]


def network_of(host: str) -> str:
    """The network that a client's address counts as; what is no address counts as itself."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, _V6_SITE), strict=False))
        return str(address.ipv4_mapped)
    return str(address)
