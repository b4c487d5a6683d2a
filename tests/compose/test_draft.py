"""Pieces and drafts: how much of an item is shown, and what gives way when an edition is too large."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compose.blocks import reading_length
from newsletter.compose.chrome import article_of
from newsletter.compose.draft import Plan, draft_of, edition_id, full_shape
from newsletter.compose.fit import LARGEST_HTML_BYTES, Shape, merged_bytes, smaller, warnings_about
from newsletter.compose.pieces import Chosen, Form, form_of, piece_of
from newsletter.compose.teaser import EXCERPT, TEASER
from newsletter.model.edition import Piece, Role, Source
from newsletter.model.feed import Feed, Reuse
from newsletter.model.item import Item, ItemState
from newsletter.model.publication import Full, Section
from tests.compose.makers import LIST, NOW, PUBLICATION, digest, draft, feed, item, piece, plain_render

ARTICLE = "<h2>At sea</h2>" + "".join(
    f"<p>Paragraph {number} tells of boats and harbours. It has three sentences. This is the last of them.</p>"
    for number in range(40)
)


def chosen(
    made: Item | None = None, *, partner: Feed | None = None, others: tuple[Item, ...] = (), html: str = ARTICLE
) -> Chosen:
    made = made or item(1, html=html)
    return Chosen(item=made, feed=partner or feed(reuse=Reuse.FULL), article=article_of(made.entry), others=others)


def shown(made: Chosen, form: Form, *, scale: float = 1) -> Piece:
    return piece_of(made, role=Role.LEAD, form=form, scale=scale, feeds={made.feed.id: made.feed})


def letters(made: Piece) -> int:
    return sum(map(reading_length, made.paragraphs))


@pytest.mark.parametrize(
    ("reuse", "role", "full", "form"),
    [
        (Reuse.FULL, Role.LEAD, Full.LEAD, Form.WHOLE),
        (Reuse.FULL, Role.TEASER, Full.LEAD, Form.TEASER),
        (Reuse.FULL, Role.TEASER, Full.ALL, Form.WHOLE),
        (Reuse.FULL, Role.LEAD, Full.NONE, Form.EXCERPT),
        (Reuse.EXCERPT, Role.LEAD, Full.ALL, Form.EXCERPT),
        (Reuse.EXCERPT, Role.TEASER, Full.ALL, Form.TEASER),
        (Reuse.TEASER, Role.LEAD, Full.ALL, Form.TEASER),
    ],
)
def test_the_form_is_what_the_digest_wants_as_far_as_rights_go(
    reuse: Reuse, role: Role, full: Full, form: Form
) -> None:
    assert form_of(chosen(partner=feed(reuse=reuse)), role=role, full=full) is form


def test_a_summary_is_never_passed_off_as_a_whole_article() -> None:
    made = chosen(html="<p>Two boats sank. Nobody was hurt.</p>")
    assert form_of(made, role=Role.LEAD, full=Full.ALL) is Form.EXCERPT


def test_a_whole_article_carries_subheads_under_the_headline_and_everything_else() -> None:
    made = shown(chosen(), Form.WHOLE)
    assert made.whole
    assert made.html.startswith("<h3>At sea</h3><p>Paragraph 0 ")
    assert made.paragraphs[0] == "## At sea"
    assert made.html.count("<p>") == 40


def test_a_teaser_leaves_the_rest_to_the_original() -> None:
    made = shown(chosen(), Form.TEASER)
    assert not made.whole
    assert letters(made) <= TEASER.target < letters(shown(chosen(), Form.EXCERPT)) <= EXCERPT.target


def test_a_teaser_never_carries_a_short_article_whole() -> None:
    html = "<p>Boats left the harbour early that day. Nobody saw them go, for the fog was thick. All was still.</p>" * 7
    made = chosen(html=html)
    assert made.article.whole
    assert letters(shown(made, Form.TEASER)) <= letters(shown(made, Form.WHOLE)) / 2


def test_a_piece_says_whose_it_is() -> None:
    partner = feed(reuse=Reuse.FULL, credit="Republished with permission from {partner}.", topics=("Sea",))
    made = shown(chosen(partner=partner), Form.TEASER)
    assert made.credit_line == "Republished with permission from Tidewatch."
    assert (made.partner, made.homepage, made.url) == (
        "Tidewatch",
        "https://tidewatch.example/",
        "https://tidewatch.example/1",
    )
    assert made.section_line == "Analysis | Sea"


def test_who_else_has_the_story_is_named_once() -> None:
    feeds = {name: feed(name) for name in ("tidewatch", "statesman", "quiet", "gone")}
    others = (
        item(2, feed_id="statesman", hours_old=9),
        item(3, feed_id="statesman", hours_old=8),
        item(4, feed_id="quiet", state=ItemState.DROPPED),
        item(5, feed_id="tidewatch"),
        item(6, feed_id="unknown"),
    )
    made = piece_of(chosen(others=others), role=Role.LEAD, form=Form.TEASER, feeds=feeds)
    assert made.also_at == (Source(partner="Statesman", url="https://statesman.example/2"),)


def plan(*made: Chosen, full: Full = Full.ALL, sections: tuple[int, ...] = ()) -> Plan:
    numbers = sections or (0,) * len(made)
    return Plan(
        digest=digest(Section(title="Sea"), Section(title="Land"), full=full),
        mailing_list=LIST,
        publication=PUBLICATION,
        feeds={"tidewatch": feed(reuse=Reuse.FULL)},
        dated_at=NOW,
        chosen=tuple(zip(numbers, made, strict=True)),
    )


def test_sections_that_have_nothing_are_not_there_and_the_first_piece_leads() -> None:
    made = plan(*(chosen(item(number, html=ARTICLE)) for number in (1, 2)), sections=(1, 1))
    edition = draft_of(made, full_shape(made), name="daily-2026-11-23", number=4)
    assert [part.title for part in edition.parts] == ["Land"]
    assert [one.role for one in edition.pieces] == [Role.LEAD, Role.TEASER]


def test_the_last_whole_piece_becomes_an_excerpt_first() -> None:
    made = plan(*(chosen(item(number, html=ARTICLE)) for number in (1, 2, 3)))
    assert full_shape(made) == Shape(pieces=3, whole=3)
    edition = draft_of(made, Shape(pieces=3, whole=1), name="x", number=1)
    assert [one.whole for one in edition.pieces] == [True, False, False]


def test_an_edition_is_named_by_the_day_where_its_digest_is_at_home() -> None:
    late = datetime(2026, 7, 23, 23, 30, tzinfo=timezone(timedelta(0)))
    assert edition_id(digest(), late) == "daily-2026-07-24"


def test_placeholders_count_as_what_they_will_become() -> None:
    rendered = plain_render(draft(piece()), "nl1")
    assert merged_bytes(rendered) > len(rendered.html.encode())


def test_teasers_are_shortened_first_then_whole_pieces_then_the_last_are_left_out() -> None:
    shapes = [Shape(pieces=3, whole=1)]
    while (next_shape := smaller(shapes[-1], size=LARGEST_HTML_BYTES + 1)) is not None:
        shapes.append(next_shape)
    assert [(shape.scale, shape.whole, shape.pieces) for shape in shapes] == [
        (1.0, 1, 3),
        (0.75, 1, 3),
        (0.5, 1, 3),
        (0.5, 0, 3),
        (0.5, 0, 2),
        (0.5, 0, 1),
    ]


@given(pieces=st.integers(1, 500), size=st.integers(LARGEST_HTML_BYTES + 1, 10**8))
def test_making_an_edition_smaller_comes_to_an_end(pieces: int, size: int) -> None:
    shape: Shape | None = Shape(pieces=pieces, whole=2)
    for _ in range(pieces + 5):
        shape = smaller(shape, size=size) if shape else None
    assert shape is None


def test_warnings_name_what_was_shortened_and_what_was_left_out() -> None:
    pieces = (piece(1, headline="Boats", whole=True), piece(2, headline="Nets", whole=True), piece(3, headline="Tides"))
    said = warnings_about(Shape(pieces=3, whole=2), Shape(pieces=2, whole=1, scale=0.5), draft(*pieces))
    assert len(said) == 3
    assert "50%" in said[0]
    assert "“Nets”" in said[1]
    assert "“Tides”" in said[2]
    assert warnings_about(Shape(pieces=3, whole=2), Shape(pieces=3, whole=2), draft(*pieces)) == ()
