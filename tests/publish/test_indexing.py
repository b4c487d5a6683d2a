"""Whose address counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.model.edition import Piece
from newsletter.publish.indexing import indexing_of
from tests.publish.samples import ARABIC, LEAD, an_edition

OWN = "https://news.example.org/archive/brief/1"


@pytest.mark.parametrize(
    ("pieces", "canonical", "indexed"),
    [
        ([LEAD], LEAD.url, True),
        ([ARABIC], OWN, True),
        ([ARABIC, ARABIC], OWN, True),
        ([LEAD, ARABIC], OWN, False),
        ([replace(LEAD, url="javascript:alert(1)")], OWN, False),
    ],
    ids=["one whole", "one teaser", "teasers", "several, one of them whole", "one whole of unknown origin"],
)
def test_one_whole_piece_is_its_partners_and_several_are_kept_from_search_engines(
    pieces: list[Piece], canonical: str, indexed: bool
) -> None:
    found = indexing_of(an_edition(1, *pieces)[1])

    assert (found.canonical_url, found.indexed) == (canonical, indexed)
