"""HTML in, the same words out: as mail markup and as plain paragraphs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree, html

from newsletter.compose.reading import blocks_from_html, blocks_from_text
from newsletter.compose.writing import html_of, paragraphs_of
from newsletter.model.text import spelled


def again(markup: str) -> str:
    return html_of(blocks_from_html(markup))


def plain(markup: str, *, with_links: bool = False) -> tuple[str, ...]:
    return paragraphs_of(blocks_from_html(markup), with_links=with_links)


def test_subheads_begin_at_the_third_level_and_leave_none_out() -> None:
    assert again("<h1>Sea</h1><p>a</p><h4>Tide</h4><p>b</p>") == "<h3>Sea</h3><p>a</p><h4>Tide</h4><p>b</p>"


def test_lists_quotations_and_links_survive() -> None:
    markup = (
        '<ol start="3"><li>One</li><li>Two<ul><li>Deeper</li></ul></li></ol>'
        '<blockquote><p>Said <a href="https://a.example/?a=1&amp;b=2">she</a>.</p></blockquote>'
    )
    assert again(markup) == markup


def test_the_text_part_shows_what_a_block_is() -> None:
    markup = "<h2>Sea</h2><p>Words.</p><ul><li>Cod</li></ul><ol><li>Hake</li></ol><blockquote><p>Gone.</p></blockquote>"
    assert plain(markup) == ("## Sea", "Words.", "- Cod", "1. Hake", "> Gone.")


def test_links_in_the_text_part_are_numbered_and_listed_once_at_the_end() -> None:
    markup = '<p>See <a href="https://a.example/1">this</a>, <a href="https://a.example/2">that</a> and <a href="https://a.example/1">this</a>.</p>'
    assert plain(markup, with_links=True) == (
        "See this [1], that [2] and this [1].",
        "[1] https://a.example/1",
        "[2] https://a.example/2",
    )


def test_a_link_whose_words_are_its_address_needs_no_number() -> None:
    assert plain('<p><a href="https://a.example/1">a.example/1</a></p>', with_links=True) == ("a.example/1",)


def test_two_line_breaks_part_paragraphs_and_one_parts_lines() -> None:
    assert again("One<br>two<br> <br>Three") == "<p>One<br>two</p><p>Three</p>"


def test_white_space_is_folded_as_a_browser_folds_it() -> None:
    assert again("<p> One \n <em> two </em> three\u00a0four </p>") == "<p>One <em>two </em>three\u00a0four</p>"


def test_unknown_elements_lose_their_tags_and_scripts_all_they_contain() -> None:
    assert (
        again('<section><p>One <span onclick="x()">two</span><script>three</script></p></section>') == "<p>One two</p>"
    )


def test_a_link_that_is_none_loses_its_tag() -> None:
    assert again('<p><a href="javascript:alert(1)">One</a> <a href="/two">two</a></p>') == "<p>One two</p>"


def test_a_paragraph_that_runs_the_other_way_says_so() -> None:
    assert (
        again('<p dir="rtl">مرحبا</p><ul><li dir="RTL">نعم</li></ul>')
        == '<p dir="rtl">مرحبا</p><ul><li dir="rtl">نعم</li></ul>'
    )


def test_a_list_item_of_several_paragraphs_stays_one() -> None:
    assert again("<ul><li><p>One.</p><p>Two.</p></li></ul>") == "<ul><li>One.<br>Two.</li></ul>"


def test_signs_of_markup_in_a_text_are_written_as_signs() -> None:
    assert html_of(blocks_from_text("1 < 2 & <b>\n\n\nnext")) == "<p>1 &lt; 2 &amp; &lt;b&gt;</p><p>next</p>"


def test_a_tree_deeper_than_any_article_is_read_without_a_fall() -> None:
    assert spelled(again("<div><b>" * 3_000 + "deep" + "</b></div>" * 3_000)) in {"deep", ""}


@given(st.text(alphabet=st.sampled_from("<>/&;=\"' abpliuh2q\x00\ud800\n"), max_size=80))
def test_whatever_comes_in_balanced_markup_goes_out(markup: str) -> None:
    etree.fromstring("<div>" + again(markup).replace("<br>", "<br/>") + "</div>")


@given(st.lists(st.text(alphabet="ab <&\n", min_size=1, max_size=12), max_size=5))
def test_no_word_is_lost_or_made_up(words: list[str]) -> None:
    tree = html.Element("div")
    for number, word in enumerate(words):
        child = etree.SubElement(tree, ["p", "em", "li", "h2", "q"][number % 5])
        child.text, child.tail = word, word
    markup = html.tostring(tree, encoding="unicode")
    assert spelled("".join(plain(markup))) == spelled("".join(word * 2 for word in words))
