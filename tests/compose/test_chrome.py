"""What stands around an article never gets into a teaser."""

from __future__ import annotations

import pytest

from newsletter.compose.chrome import article_of
from newsletter.compose.teaser import TEASER, cut
from newsletter.compose.writing import html_of
from newsletter.model.item import Image
from tests.compose.makers import entry

LEAD = "The boats left the harbour at dawn. Nobody saw them."
LONG = "<p>" + "The boats left the harbour at dawn, and nobody saw them go. " * 8 + "</p>"


def body(html: str) -> str:
    return html_of(article_of(entry(html=html)).blocks)


@pytest.mark.parametrize(
    "tail",
    [
        '<p>The post <a href="https://t.example/1">Boats</a> appeared first on <a href="https://t.example/">Tide</a>.</p>',
        "<p>La entrada Barcos se publicó primero en Marea.</p>",
        "<p>L’article Bateaux est apparu en premier sur Marée.</p>",
        "<p>Der Beitrag Boote erschien zuerst auf Flut.</p>",
        "<p>ظهرت المقالة القوارب أولاً على المد.</p>",
        '<p><a href="https://t.example/1">Continue reading Boats at dawn →</a></p>',
        "<p>Keep reading</p><p>Show less</p>",
        "<p>keep readingShow less</p>",
        "<p>Seguir leyendo</p>",
        "<p>Read more »</p>",
        "<p>اقرأ المزيد</p>",
        "<p>続きを読む</p>",
        "<p>Read more: Another story about boats</p>",
        "<p>Advertisement</p>",
        "<p>[…]</p>",
    ],
)
def test_furniture_behind_the_text_is_gone(tail: str) -> None:
    assert body(f"<p>{LEAD}</p>{tail}") == f"<p>{LEAD}</p>"


@pytest.mark.parametrize(
    "tail",
    [
        " […]",
        " [...]",
        " [&hellip;]",
        ' <a href="https://t.example/1">Read more</a>',
        ' <a href="https://t.example/1">Continue reading “Boats”</a>',
        " Keep reading",
    ],
)
def test_furniture_in_the_last_paragraph_is_gone(tail: str) -> None:
    assert body(f"<p>{LEAD}{tail}</p>") == f"<p>{LEAD}</p>"


def test_a_summary_on_one_line_with_all_of_it_is_mended() -> None:
    text = f"{LEAD} They had been […] The post Boats at dawn appeared first on Tidewatch."
    assert body(f"<p>{text}</p>") == f"<p>{LEAD}</p>"


def test_a_text_broken_off_ends_in_its_last_whole_sentence() -> None:
    assert body(f"<p>{LEAD} They had been waiting for...</p>") == f"<p>{LEAD}</p>"


def test_a_text_broken_off_in_its_only_sentence_says_so() -> None:
    assert body("<p>The boats left the harbour while [&#8230;]</p>") == "<p>The boats left the harbour while…</p>"


@pytest.mark.parametrize(
    "head",
    [
        "<h1>The ferries are late again</h1>",
        "<p>THE FERRIES ARE LATE AGAIN</p>",
        "<p>By Jane Doe</p>",
        "<p>By Jane Doe and Ali bin Said, Leith</p>",
        "<p><strong>By Jane Doe | 3 March 2026</strong></p>",
        "<p>Written by Zoë Ørsted</p>",
        "<p>Boats in the harbour of Leith.</p>",
        "<p>Boats in the harbour of Leith. Ann Lee/Tidewatch</p>",
        "<p>(Photo by Ann Lee / Wire Pictures)</p>",
        "<p>Analysis</p>",
        "<p>Nobody knows why.</p>",
    ],
)
def test_what_stands_above_the_text_is_not_said_twice(head: str) -> None:
    made = entry(
        html=f"{head}<p>{LEAD}</p>",
        byline="Zoë Ørsted",
        dek="Nobody knows why",
        section_line="Analysis | Sea",
        image=Image(
            url="https://t.example/1.jpg", caption="Boats in the harbour of Leith.", credit="Ann Lee/Tidewatch"
        ),
    )
    assert html_of(article_of(made).blocks) == f"<p>{LEAD}</p>"


def test_a_byline_on_a_line_of_its_own_above_the_text_is_gone() -> None:
    assert body(f"<p>By Jane Doe<br>{LEAD}</p>") == f"<p>{LEAD}</p>"


@pytest.mark.parametrize(
    "start",
    [
        "LEITH, Scotland (Wire) — The boats left.",
        "By 2030 the boats will be gone.",
        "By the Sea was his first book.",
        "Photography was her life.",
    ],
)
def test_a_dateline_or_a_sentence_that_looks_like_furniture_stays(start: str) -> None:
    assert body(f"<p>{start}</p><p>{LEAD}</p>").startswith(f"<p>{start}</p>")


def test_the_dek_is_not_said_twice() -> None:
    article = article_of(entry(html=f"<p>{LEAD}</p>{LONG}", dek="The boats left the harbour at dawn…"))
    assert article.dek == ""


def test_a_dek_of_its_own_stays() -> None:
    assert article_of(entry(html=LONG, dek="Nobody knows why")).dek == "Nobody knows why"


def test_an_item_with_a_dek_alone_has_it_for_a_text() -> None:
    article = article_of(entry(dek="Nobody knows why."))
    assert (html_of(article.blocks), article.dek, article.whole) == ("<p>Nobody knows why.</p>", "", False)


def test_a_body_that_is_only_the_caption_gives_way_to_the_dek() -> None:
    made = entry(
        html="<p>Boats at dawn</p>",
        dek="Nobody knows why.",
        image=Image(url="https://t.example/1.jpg", caption="Boats at dawn."),
    )
    assert html_of(article_of(made).blocks) == "<p>Nobody knows why.</p>"


def test_an_item_with_nothing_to_read_has_no_blocks() -> None:
    assert article_of(entry()).blocks == ()


def test_a_long_text_is_an_article_and_a_short_or_broken_one_is_not() -> None:
    assert article_of(entry(html=LONG * 4)).whole
    assert not article_of(entry(html=f"<p>{LEAD}</p>")).whole
    assert not article_of(entry(html=LONG * 4 + "<p>And then they […]</p>")).whole


def test_an_article_may_end_in_dots_of_its_own_only_if_it_says_so_inside() -> None:
    assert article_of(entry(html=LONG * 4 + "<p>“And then …” he began, and stopped.</p>")).whole


@pytest.mark.parametrize(
    "trap",
    ["The post ", "\u00a0", ".", "[…]</p><p>", "Read more</p><p>", "By Jane ", "It ended. ", "<b>x</b> ", "海。"],
)
def test_a_text_made_to_waste_our_time_does_not(trap: str) -> None:
    blocks = article_of(entry(html=f"<p>{LEAD}</p><p>{trap * 30_000}x</p>")).blocks
    assert cut(blocks, TEASER)[0].text == LEAD
