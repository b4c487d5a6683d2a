"""The last look at the finished documents: an edition that breaks what a partner allows does not go out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.compose.rights import check_rights, credit_line
from newsletter.errors import RightsError
from newsletter.model.edition import Piece, Rendered
from newsletter.model.feed import Feed, Reuse
from newsletter.model.item import Item
from tests.compose.makers import draft, feed, item, piece, plain_render

CREDIT = "Republished with permission from Tidewatch."
SENTENCES = [f"Sentence number {number} of the long article about the harbour and its boats." for number in range(60)]
ARTICLE = "\n\n".join(SENTENCES)


def refused(
    made: Piece, *, partner: Feed | None = None, source: Item | None = None, rendered: Rendered | None = None
) -> str:
    """Why the edition is refused, or an empty text."""
    edition = draft(made)
    documents = rendered or plain_render(edition, "nl1")
    try:
        check_rights(
            edition, documents, items={1: source or item(1, text=ARTICLE)}, feeds={"tidewatch": partner or feed()}
        )
    except RightsError as error:
        return str(error)
    return ""


def test_an_edition_that_keeps_to_the_rights_passes() -> None:
    made = piece(credit_line=CREDIT, html=f"<p>{SENTENCES[0]}</p>", paragraphs=(SENTENCES[0],))
    assert refused(made) == ""


@pytest.mark.parametrize("part", ["html", "text"])
def test_a_missing_credit_line_is_named_with_item_and_partner(part: str) -> None:
    made = piece(credit_line=CREDIT)
    rendered = plain_render(draft(made), "nl1")
    documents = rendered.html.replace(CREDIT, ""), rendered.text.replace(CREDIT, "")
    without = replace(rendered, html=documents[0]) if part == "html" else replace(rendered, text=documents[1])
    said = refused(made, rendered=without)
    assert "item 1" in said
    assert "Tidewatch" in said
    assert f"its credit line “{CREDIT}” is missing" in said


def test_a_credit_line_nobody_can_see_is_missing() -> None:
    made = piece(credit_line=CREDIT)
    rendered = plain_render(draft(made), "nl1")
    hidden = replace(
        rendered, html=rendered.html.replace(f"<p>{CREDIT}", f'<p style="color: red; display: none">{CREDIT}')
    )
    assert "credit line" in refused(made, rendered=hidden)


def test_a_credit_line_wrapped_over_lines_is_there() -> None:
    made = piece(credit_line=CREDIT)
    rendered = plain_render(draft(made), "nl1")
    wrapped = replace(rendered, text=rendered.text.replace(" permission ", "\npermission\n"))
    assert refused(made, rendered=wrapped) == ""


def test_each_piece_owes_its_own_credit_line() -> None:
    pieces = [piece(number, url=f"https://tidewatch.example/{number}", credit_line=CREDIT) for number in (1, 2)]
    edition = draft(*pieces)
    rendered = plain_render(edition, "nl1")
    once = replace(rendered, html=rendered.html.replace(CREDIT, "", 1))
    with pytest.raises(RightsError, match="2 pieces owe"):
        check_rights(edition, once, items={1: item(1), 2: item(2)}, feeds={"tidewatch": feed()})


@pytest.mark.parametrize("part", ["html", "text"])
def test_a_missing_link_to_the_original_is_refused(part: str) -> None:
    made = piece()
    rendered = plain_render(draft(made), "nl1")
    if part == "html":
        without = replace(rendered, html=rendered.html.replace(made.url, f"{made.url}-other"))
    else:
        without = replace(rendered, text=rendered.text.replace(made.url, f"{made.url}-other"))
    assert f"its link {made.url} is missing in the {part if part == 'text' else 'HTML'} part" in refused(
        made, rendered=without
    )


def test_a_link_may_be_percent_encoded_on_the_way() -> None:
    made = piece(url="https://tidewatch.example/bø?a=1&b=2")
    rendered = plain_render(draft(made), "nl1")
    encoded = replace(rendered, html=rendered.html.replace("bø?a=1&b", "b%C3%B8?a=1&amp;b"))
    assert refused(made, rendered=encoded) == ""


def test_a_whole_article_where_a_teaser_is_allowed_is_refused() -> None:
    made = piece(html=f"<p>{ARTICLE}</p>", paragraphs=(ARTICLE,), whole=True)
    assert "only a teaser is allowed, the whole article is shown" in refused(made)


def test_more_of_an_article_than_a_teaser_is_refused_wherever_it_came_from() -> None:
    made = piece()
    rendered = plain_render(draft(made), "nl1")
    smuggled = replace(rendered, html=rendered.html.replace("</body>", f"<p>{ARTICLE}</p></body>"))
    assert "only a teaser of at most 900 letters is allowed" in refused(made, rendered=smuggled)


def test_an_excerpt_may_be_longer_than_a_teaser_but_not_the_article() -> None:
    some = " ".join(SENTENCES[:18])
    partner = feed(reuse=Reuse.EXCERPT)
    assert refused(piece(html=f"<p>{some}</p>", paragraphs=(some,)), partner=partner) == ""
    assert "only a teaser" in refused(piece(html=f"<p>{some}</p>", paragraphs=(some,)))
    more = " ".join(SENTENCES[:40])
    assert "only an excerpt" in refused(piece(html=f"<p>{more}</p>", paragraphs=(more,)), partner=partner)


def test_a_whole_article_is_fine_where_the_partner_allows_it() -> None:
    made = piece(html=f"<p>{ARTICLE}</p>", paragraphs=(ARTICLE,), whole=True)
    assert refused(made, partner=feed(reuse=Reuse.FULL)) == ""


def test_sentences_another_piece_shows_with_permission_are_counted_there() -> None:
    teaser = piece(1)
    whole = piece(
        2,
        feed_id="statesman",
        url="https://statesman.example/2",
        html=f"<p>{ARTICLE}</p>",
        paragraphs=(ARTICLE,),
        whole=True,
    )
    edition = draft(teaser, whole)
    feeds = {"tidewatch": feed(), "statesman": feed("statesman", reuse=Reuse.FULL)}
    items = {1: item(1, text=ARTICLE), 2: item(2, feed_id="statesman", text=ARTICLE)}
    check_rights(edition, plain_render(edition, "nl1"), items=items, feeds=feeds)


@pytest.mark.parametrize(
    ("partner", "hours_old", "words"),
    [
        (feed(embargo=timedelta(hours=3)), 2, "asks to wait until 2026-11-23 08:00 UTC (embargo)"),
        (feed(expires=timedelta(days=1)), 48, "let it be shown until 2026-11-22 07:00 UTC (expires)"),
        (feed(reuse=Reuse.NONE), 2, "allows no reuse"),
    ],
)
def test_embargo_expiry_and_reuse_are_looked_at_again(partner: Feed, hours_old: float, words: str) -> None:
    assert words in refused(piece(), partner=partner, source=item(1, hours_old=hours_old))


def test_the_credit_line_names_the_partner() -> None:
    assert credit_line(feed(credit="Courtesy of {partner}.")) == "Courtesy of Tidewatch."
    assert credit_line(feed()) == ""
