"""Which language somebody is answered in."""

from __future__ import annotations

import re
from collections.abc import Iterable

from newsletter.language.catalogue import SOURCE, nearest

_LONGEST_HEADER = 1_000
_OFFER = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


def chosen(*wishes: str | None, accepted: str = "", fallback: str) -> str:
    """The first of the wishes that our phrases are written in, else what a browser accepts, else the fallback.

    `accepted` is an Accept-Language header, of which nothing is trusted to be well-formed. English if nothing fits.
    """
    asked = (*filter(None, wishes), *accepted_tags(accepted), fallback)
    return next((found for tag in asked if (found := nearest(tag))), SOURCE)


def accepted_tags(header: str) -> Iterable[str]:
    """The tags of an Accept-Language header (RFC 9110 section 12.5.4), most wanted first, refused ones left out."""
    offers = [_OFFER.fullmatch(offer) for offer in header[:_LONGEST_HEADER].split(",")]
    weighed = [(float(found[2] or 1), found[1]) for found in offers if found and found[1] != "*"]
    return [tag for weight, tag in sorted(weighed, key=lambda offer: -offer[0]) if 0 < weight <= 1]
