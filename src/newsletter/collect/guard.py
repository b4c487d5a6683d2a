"""Which network addresses may be dialled for a feed: public ones, and what an operator allows by name."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

# `is_global` of the standard library lets these through, and each of them can lead back into a private network.
_NOT_PUBLIC = tuple(
    IPv6Network(net)
    for net in (
        "::/96",  # IPv4-compatible, long deprecated
        "64:ff9b::/96",  # NAT64: the last four bytes are an IPv4 address
        "64:ff9b:1::/48",  # NAT64 of a local network
        "2001::/23",  # protocol assignments, Teredo among them
        "2002::/16",  # 6to4: an IPv4 address inside
        "fec0::/10",  # site-local
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
    )
)


def refusal_of(address: str) -> str | None:
    """Why this IP address may not be dialled, or None. What is no IP address may not either."""
    try:
        found = ip_address(address.split("%", maxsplit=1)[0])
    except ValueError:
        return f"{address} is no IP address"
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return None if _is_public(found) else f"{found} is not a public address"


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return not (isinstance(address, IPv6Address) and any(address in net for net in _NOT_PUBLIC))


def is_allowed(host: str, allowed: Collection[str]) -> bool:
    """Whether an operator allows this host to have a private address.

    An entry is a host name, which must be the URL's, or an address or network (`127.0.0.0/8`), which must hold the
    address that the URL names. A public name that resolves to an allowed address is not allowed: anybody can make one.
    """
    host = host.strip("[]").lower().rstrip(".")
    return any(host == entry.strip("[]").lower().rstrip(".") or _is_within(host, entry) for entry in allowed)


def _is_within(host: str, entry: str) -> bool:
    network = _network(entry)
    try:
        return network is not None and ip_address(host) in network
    except ValueError:
        return False


@cache
def _network(entry: str) -> IPv4Network | IPv6Network | None:
    """The network that an entry names; entries come from the settings, so there are few."""
    try:
        return ip_network(entry, strict=False)
    except ValueError:
        return None
