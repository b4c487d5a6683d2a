import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.collect.clean import TAGS, cleaned, from_plain_text, visible

BASE = "https://courier.example/2026/karst/"


def _html(markup: str) -> str:
    return cleaned(markup, BASE).html


def _text(markup: str) -> str:
    return cleaned(markup, BASE).text


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        "<p onclick=alert(1)>a</p>",
        "<a href='javascript:alert(1)'>a</a>",
        "<a href='java\nscript:alert(1)'>a</a>",
        "<a href='&#106;avascript:alert(1)'>a</a>",
        "<svg><script>alert(1)</script></svg>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<iframe src='https://x.example'></iframe>",
        "<form action=/x><input name=a><button>alert(1)</button></form>",
        "<style>p{background:url(javascript:alert(1))}</style>",
        "<p style='background:url(https://x.example/alert)'>a</p>",
        "<object data=x></object><embed src=x><template>alert</template>",
        "<a href='data:text/html,alert'>a</a>",
        "<img src=x onerror=alert(1)>",
    ],
)
def test_nothing_that_runs_or_loads_is_left(markup: str) -> None:
    found = _html(f"<p>before</p>{markup}<p>after</p>")
    assert "alert" not in found
    assert "before" in found
    assert not set(re.findall(r"<(\w+)", found)) - TAGS


@given(st.text(alphabet="<>/=\"' abpdivscriptimgonerr&;#x0!-[]\n\u202e\x00", max_size=200))
def test_whatever_comes_the_result_has_only_allowed_elements_and_cleaning_it_again_changes_nothing(markup: str) -> None:
    found = cleaned(markup, BASE)
    assert not set(re.findall(r"<([a-zA-Z]\w*)", found.html)) - TAGS
    assert " on" not in "".join(re.findall(r"<[^>]*>", found.html))
    assert "\u202e" not in found.text
    assert cleaned(found.html, BASE).text == found.text


def test_links_are_absolute_and_only_of_the_web_or_to_mail() -> None:
    found = _html(
        "<p><a href='../map' target=_blank rel=x>a</a> <a href='mailto:a@b.example'>b</a> <a href='tel:1'>c</a></p>"
    )
    assert (
        found == '<p><a href="https://courier.example/2026/map">a</a> <a href="mailto:a@b.example">b</a> <a>c</a></p>'
    )


def test_loose_text_and_wrappers_become_paragraphs() -> None:
    assert _text("One<div>Two <b>bold</b><section>Three</section></div>four<br><br>five<br>and six") == (
        "One\n\nTwo bold\n\nThree\n\nfour\n\nfive\nand six"
    )


def test_subheads_lists_and_quotations_stay_what_they_are() -> None:
    found = _html("<h1>A</h1><h6>B</h6><ul><li>one</li><li><p>two</p></li></ul><blockquote><p>said</p></blockquote>")
    assert found.replace("\n", "") == (
        "<h2>A</h2><h4>B</h4><ul><li>one</li><li>two</li></ul><blockquote><p>said</p></blockquote>"
    )


def test_each_list_item_and_quoted_paragraph_is_a_paragraph_of_the_text() -> None:
    assert _text("<ul><li>one</li><li>two</li></ul><blockquote><p>a</p><p>b</p></blockquote>") == "one\n\ntwo\n\na\n\nb"


def test_a_table_becomes_lines() -> None:
    assert (
        _text("<table><tr><th>Port</th><th>Ships</th></tr><tr><td>Vell</td><td>4</td></tr></table>")
        == "Port | Ships\n\nVell | 4"
    )


def test_what_a_page_hides_stays_hidden() -> None:
    hidden = "<p style='display: none'>x</p><p hidden>y</p><span class='screen-reader-text'>z</span><p>seen</p>"
    assert _text(hidden) == "seen"


def test_empty_paragraphs_and_comments_are_left_out() -> None:
    assert _html("<p></p><p>&nbsp;</p><!-- note --><p>a</p><p><br></p>") == "<p>a</p>"


def test_a_paragraph_keeps_its_direction_and_language() -> None:
    assert _html('<p dir="rtl" lang="ar">ماء</p>') == '<p dir="rtl" lang="ar">ماء</p>'


@pytest.mark.parametrize(
    ("ending", "kept"),
    [
        ("<p>The post <a href=x>A dam</a> appeared first on <a href=y>The Courier</a>.</p>", ""),
        ("<p>La entrada <a href=x>Una presa</a> se publicó primero en <a href=y>El Mirador</a>.</p>", ""),
        ("<p><a href=x>Seguir leyendo</a></p>", ""),
        ("<p><a href=x>Continue reading <span>“A dam”</span> →</a></p>", ""),
        ("<p>keep reading<span>Show less</span></p>", ""),
        ("<p><a href=x>اقرأ المزيد</a></p>", ""),
        ("<p>[…]</p>", ""),
        ("<p>Then it rained. <a href=x>Read more</a></p>", "Then it rained."),
        ("<p>Then it rained and [&#8230;]</p>", "Then it rained and…"),
        ("<p>Then it rained. <a href=x>[...]</a></p>", "Then it rained."),
        ("<p>Read more books, said the mayor, and everybody laughed until the tide came in.</p>", None),
        ("<p>The post office appeared closed.</p>", None),
    ],
)
def test_what_publishing_systems_add_at_the_end_is_taken_off(ending: str, kept: str | None) -> None:
    expected = visible(ending).strip() if kept is None else kept
    assert _text(f"<p>A dam was opened.</p>{ending}") == "\n\n".join(filter(None, ["A dam was opened.", expected]))


def test_a_button_is_taken_out_of_the_middle_but_a_sentence_that_begins_like_one_is_not() -> None:
    text = "<p>One.</p><p>keep reading</p><p>Keep reading the river, said the pilot, it changes.</p><p>Two.</p>"
    assert _text(text) == "One.\n\nKeep reading the river, said the pilot, it changes.\n\nTwo."


def test_shortcodes_that_nobody_filled_in_are_taken_out() -> None:
    assert _text('<p>[gallery ids="1,2"]A[/embed]</p>') == "A"


def test_plain_text_gets_paragraphs_and_no_markup() -> None:
    found = from_plain_text("One <b>\n\nTwo & three")
    assert (found.html, found.text) == ("<p>One &lt;b&gt;</p>\n<p>Two &amp; three</p>", "One <b>\n\nTwo & three")


@pytest.mark.parametrize(
    ("markup", "seen"),
    [
        ("5 &lt; 6 &amp; 7", "5 < 6 & 7"),
        ("a <em>b</em> c", "a b c"),
        ("1 < 2", "1 < 2"),
        ("x<script>alert(1)</script>", "x"),
        ("&#x202e;abc&#0;", "abc\ufffd"),
    ],
)
def test_a_short_text_is_shown_as_a_reader_sees_it(markup: str, seen: str) -> None:
    assert visible(markup) == seen


def test_deep_nesting_ends_in_little_text_and_no_error() -> None:
    for tag in ("div", "blockquote", "ul><li", "b", "table"):
        assert len(cleaned(f"<{tag}>" * 3000 + "x", BASE).text) <= 1


def test_reordering_and_control_characters_are_gone_however_they_are_written() -> None:
    found = cleaned("<p>a\u202eb&#8238;c\x07d&#x2066;e\u2028f\ud800g</p>", BASE)
    assert found.text == "abcde fg"
    assert "\u202e" not in found.html
