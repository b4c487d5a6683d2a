"""Rules for whole domains, as an operator writes them."""

from __future__ import annotations

import re

from newsletter.errors import AddressError
from newsletter.model.subscriber import address_key

_LABELS = re.compile(r"[^\W_]([\w-]*[^\W_])?(\.[^\W_]([\w-]*[^\W_])?)*")
_ALL_BELOW = "*."
_LONGEST = 253


def domain_rule(text: str) -> str | None:
    """`example.org` (its addresses) or `*.example.org` (those of all domains below), spelt as we compare; None for
    what is an address. AddressError for what is neither.
    """
    if "@" in text.removeprefix("@"):
        return None
    below, bare = text.startswith(_ALL_BELOW), text.strip().removeprefix("@").removeprefix(_ALL_BELOW)
    domain = address_key(f"x@{bare}").partition("@")[2]
    if len(domain) > _LONGEST or not _LABELS.fullmatch(domain) or not (below or "." in domain):
        raise AddressError("expected an address, a domain (example.org) or all below one (*.example.org)")
    return f"{_ALL_BELOW if below else ''}{domain}"
