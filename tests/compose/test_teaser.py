"""The teaser cutter: whole sentences, balanced markup, never more than the budget."""

from __future__ import annotations

from html import escape

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from newsletter.compose.blocks import Blocks, Kind, blocks_length
from newsletter.compose.reading import blocks_from_html
from newsletter.compose.sentences import sentence_ends
from newsletter.compose.teaser import EXCERPT, TEASER, Budget, cut
from newsletter.compose.writing import html_of, paragraphs_of
from newsletter.model.text import spelled


def small(target: int, *, limit: int | None = None, paragraphs: int = 3) -> Budget:
    return Budget(target=target, limit=limit or 2 * target, paragraphs=paragraphs)


def teaser(html: str, budget: Budget = TEASER, language: str | None = None) -> str:
    return html_of(cut(blocks_from_html(html), budget, language=language))


def test_a_short_text_is_kept_as_it_is() -> None:
    assert teaser("<p>One. Two.</p><p>Three.</p>") == "<p>One. Two.</p><p>Three.</p>"


def test_the_last_paragraph_is_cut_where_a_sentence_ends() -> None:
    html = "<p>The boats left early.</p><p>Nobody saw them. The fog was thick that day.</p>"
    assert teaser(html, small(45)) == "<p>The boats left early.</p><p>Nobody saw them.</p>"


def test_a_few_words_of_a_paragraph_do_not_stand_alone_at_the_end() -> None:
    html = "<p>The boats left early, before anybody was awake.</p><p>Fog. It lay over the bay for all of that day.</p>"
    assert teaser(html, small(60)) == "<p>The boats left early, before anybody was awake.</p>"


def test_links_and_emphasis_around_the_cut_are_closed() -> None:
    html = '<p><a href="https://a.example/x"><em>Nobody saw</em> <strong>them. The fog</strong> was thick.</a></p>'
    expected = '<p><a href="https://a.example/x"><em>Nobody saw</em> <strong>them.</strong></a></p>'
    assert teaser(html, small(20)) == expected


def test_a_first_sentence_longer_than_the_target_is_shown_whole() -> None:
    assert (
        teaser("<p>The boats left early in the morning. Late.</p>", small(20))
        == "<p>The boats left early in the morning.</p>"
    )


def test_a_first_sentence_beyond_the_limit_is_cut_at_a_word_and_says_so() -> None:
    html = "<p>The boats left early in the morning without lights and without a sound.</p>"
    assert teaser(html, small(10, limit=30)) == "<p>The boats left early in the…</p>"


def test_a_text_without_blanks_or_stops_is_cut_between_characters() -> None:
    cut_off = cut(blocks_from_html(f"<p>{'海' * 300}</p>"), small(20, limit=40))
    assert cut_off[0].text == "海" * 19 + "…"


def test_wide_characters_count_twice() -> None:
    assert blocks_length(cut(blocks_from_html("<p>" + "船が港に来た。" * 200 + "</p>"), TEASER)) <= TEASER.target


def test_a_mark_is_never_parted_from_its_letter() -> None:
    accented = "e\u0301"
    text = cut(blocks_from_html(f"<p>{accented * 100}</p>"), small(10, limit=20))[0].text
    assert set(text.removesuffix("…").split(accented)) == {""}


def test_a_subhead_never_ends_a_teaser() -> None:
    html = f"<p>{'The boats left. ' * 5}</p><h2>At sea</h2><p>{'Waves rose high. ' * 10}</p>"
    assert "At sea" not in teaser(html, small(90))


def test_a_bold_line_that_is_no_sentence_counts_as_a_subhead() -> None:
    assert [block.kind for block in blocks_from_html("<p>It began.</p><p><strong>At sea</strong></p>")][
        1
    ] is Kind.HEADING


def test_a_line_that_announces_a_list_does_not_end_a_teaser() -> None:
    html = "<p>The boats left.</p><p>There were three reasons:</p><ul><li>The cold, which was bitter.</li></ul>"
    assert teaser(html, small(50)) == "<p>The boats left.</p>"


def test_a_teaser_has_at_most_three_paragraphs() -> None:
    assert teaser("<p>A one.</p><p>A two.</p><p>A three.</p><p>A four.</p>").count("<p>") == 3


def test_arabic_is_cut_at_its_own_question_mark() -> None:
    html = "<p>هل غادرت السفن الميناء؟ لا أحد يعرف الجواب حتى الآن.</p>"
    assert teaser(html, small(30), "ar") == "<p>هل غادرت السفن الميناء؟</p>"


def test_an_excerpt_is_longer_than_a_teaser() -> None:
    html = "".join(f"<p>{'The tide came in and the boats went out. ' * 5}</p>" for _ in range(20))
    shown = [blocks_length(cut(blocks_from_html(html), budget)) for budget in (TEASER, EXCERPT)]
    assert shown[0] <= TEASER.target < shown[1] <= EXCERPT.target


SENTENCES = st.sampled_from(
    [
        "The boats left the harbour at dawn.",
        "“Who saw them?” she asked.",
        "Gen. Okoro of the U.S. Navy did not.",
        "It cost 3.5 million (or more).",
        "Fog!",
        "هل غادرت السفن؟",
        "船が来た。",
        "He paused … and went on " + "and on " * 30 + "until night fell.",
        "no stop here",
        "<&> are signs.",
    ]
)
TAGS = st.sampled_from(["em", "strong", "a", "b", "span", "sup", ""])


@st.composite
def inline(draw: st.DrawFn) -> str:
    words = []
    for sentence in draw(st.lists(SENTENCES, min_size=1, max_size=6)):
        middle = draw(st.integers(0, len(sentence)))
        tag = draw(TAGS)
        opened = f'<{tag} href="https://a.example/?x=1&amp;y=2">' if tag == "a" else f"<{tag}>"
        head, tail = escape(sentence[:middle]), escape(sentence[middle:])
        words.append(f"{head}{opened}{tail}</{tag}>" if tag else head + tail)
    return " ".join(words)


@st.composite
def articles(draw: st.DrawFn) -> str:
    blocks = []
    for text in draw(st.lists(inline(), min_size=1, max_size=6)):
        shape = draw(
            st.sampled_from(
                [
                    "<p>{}</p>",
                    "<p>{}</p>",
                    "<h2>{}</h2>",
                    "<ul><li>{}</li></ul>",
                    "<blockquote><p>{}</p></blockquote>",
                    "<p>{}<br><br>More.</p>",
                ]
            )
        )
        blocks.append(shape.format(text))
    return "".join(blocks)


BUDGETS = st.builds(
    lambda target, more, paragraphs: Budget(target=target, limit=target + more, paragraphs=paragraphs),
    st.integers(10, 400),
    st.integers(0, 400),
    st.integers(1, 5),
)


def first_sentence(blocks: Blocks) -> str:
    text = next((block.text for block in blocks if block.kind is not Kind.HEADING), "")
    ends = sentence_ends(text)
    return text[: ends[0]] if ends else text


@given(html=articles(), budget=BUDGETS)
def test_markup_is_balanced_wherever_the_cut_falls(html: str, budget: Budget) -> None:
    etree.fromstring("<div>" + teaser(html, budget).replace("<br>", "<br/>") + "</div>")


@given(html=articles(), budget=BUDGETS)
def test_no_teaser_is_longer_than_its_budget_unless_it_is_one_sentence(html: str, budget: Budget) -> None:
    blocks = blocks_from_html(html)
    shown = cut(blocks, budget)
    body = [block for block in shown if block.kind is not Kind.HEADING]
    alone = len(body) == 1 and first_sentence(blocks).startswith(body[0].text.removesuffix("…"))
    assert blocks_length(shown) <= budget.target or (alone and blocks_length(tuple(body)) <= budget.limit)


@given(html=articles(), budget=BUDGETS)
def test_a_teaser_is_the_beginning_of_the_article(html: str, budget: Budget) -> None:
    blocks = blocks_from_html(html)
    whole = spelled(" ".join(block.text for block in blocks))
    assert whole.startswith(spelled(" ".join(block.text for block in cut(blocks, budget))))


@given(html=articles(), budget=BUDGETS)
def test_cutting_a_teaser_again_changes_nothing(html: str, budget: Budget) -> None:
    once = cut(blocks_from_html(html), budget)
    assert html_of(cut(blocks_from_html(html_of(once)), budget)) == html_of(once)


@given(html=articles(), budget=BUDGETS)
def test_both_parts_of_a_teaser_have_the_same_words(html: str, budget: Budget) -> None:
    blocks = cut(blocks_from_html(html), budget)
    markup = etree.fromstring("<div>" + html_of(blocks).replace("<br>", "<br/>") + "</div>")
    assert spelled("".join(map(str, markup.itertext()))) == spelled("".join(paragraphs_of(blocks, with_links=False)))
