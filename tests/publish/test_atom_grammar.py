"""Our Atom documents against the grammar of RFC 4287."""

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from newsletter.model.edition import Draft, Edition
from newsletter.publish.paging import newest_page, past_page
from newsletter.publish.publish import Form, feed_of
from tests.publish.samples import ARABIC, BRIEF, HOSTILE, LEAD, PUBLICATION, an_edition, made

A = "{http://www.w3.org/2005/Atom}"
GRAMMAR = etree.RelaxNG(etree.parse(Path(__file__).parent / "data" / "atom.rng"))
BARE = replace(LEAD, headline="", dek="", byline="", html="", credit_line="", image=None, also_at=(), section_line="")


@pytest.mark.parametrize(
    "edition",
    [an_edition(1, LEAD, ARABIC), an_edition(1, HOSTILE), an_edition(1, BARE)],
    ids=["usual", "hostile", "bare"],
)
def test_what_we_publish_keeps_to_the_grammar(edition: tuple[Edition, Draft]) -> None:
    for page in (newest_page(31), past_page(2, newest=31)):
        GRAMMAR.assertValid(etree.fromstring(made(Form.ATOM, edition, page=page)))


def test_a_feed_without_entries_keeps_to_the_grammar() -> None:
    document = feed_of((), publication=PUBLICATION, mailing_list=BRIEF, page=newest_page(0), form=Form.ATOM)
    GRAMMAR.assertValid(etree.fromstring(document))


def test_every_entry_has_an_author_or_a_source_that_has_one_and_one_alternate_link() -> None:
    for entry in etree.fromstring(made(Form.ATOM, an_edition(1, LEAD, ARABIC, HOSTILE, BARE))).iter(f"{A}entry"):
        assert entry.find(f"{A}author") is not None or entry.find(f"{A}source/{A}author") is not None
        assert len([link for link in entry.iterchildren(f"{A}link") if link.get("rel") == "alternate"]) == 1


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("<updated>2026-03-04T07:00:00Z</updated>", ""),
        ("2026-03-04T07:00:00Z", "2026-03-04T07:00:00"),
        ("<name>The Example Brief</name>", ""),
        ('rel="self" href="https://news.example.org/feeds/brief.atom"', 'rel="self"'),
        ('xml:lang="ar"', 'xml:lang="no language"'),
        ("<entry>", "<entry><nothing/>"),
    ],
)
def test_the_grammar_finds_what_is_wrong(right: str, wrong: str) -> None:
    document = made(Form.ATOM).decode()
    assert right in document
    assert not GRAMMAR.validate(etree.fromstring(document.replace(right, wrong, 1).encode()))
