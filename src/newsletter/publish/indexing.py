"""What search engines are told about an edition's page: whose the text is, and whether to list it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from newsletter.model.edition import Draft
from newsletter.model.links import safe_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexing:
    """`canonical_url` is the address that counts (RFC 6596), ASCII alone: it goes into a header."""

    canonical_url: str
    indexed: bool


def indexing_of(draft: Draft) -> Indexing:
    """Of one whole piece the original's address counts, of anything else our own.

    A page with several pieces cannot name the originals of each; if one of them is there whole, the page is left out of
    search engines, so that it never stands above its partner's.
    """
    whole = [piece for piece in draft.pieces if piece.whole]
    own = f"{draft.publication.base_url}/archive/{quote(draft.mailing_list.id)}/{draft.number}"
    if len(draft.pieces) == 1 and whole and (original := safe_url(whole[0].url)):
        return Indexing(canonical_url=original, indexed=True)
    return Indexing(canonical_url=safe_url(own), indexed=not whole)
