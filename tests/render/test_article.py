import pytest

from newsletter.model.item import Direction
from newsletter.render.article import mail_html
from newsletter.render.plain import Cleaner


def rendered(article: str, *, level: int = 3, nonce: str = "nlnonce", direction: Direction = Direction.LTR) -> str:
    return mail_html(article, cleaner=Cleaner(nonce), level=level, width=536, direction=direction)


def test_subheads_of_any_depth_come_right_under_the_headline() -> None:
    assert rendered("<h1>a</h1><h2>b</h2><h5>c</h5>", level=4) == "<h4>a</h4><h4>b</h4><h4>c</h4>"


def test_what_can_run_load_or_dress_up_is_gone() -> None:
    article = (
        '<p onclick="x()" style="position:fixed" class="headline">a</p><script>x()</script><style>p{}</style>'
        '<iframe src="https://e.example"></iframe><form action="/x"><input name="y"></form><svg onload="x()"></svg>'
        '<a href="javascript:x()">b</a><img src="data:image/png;base64,AAAA"><object data="x"></object>'
    )
    assert rendered(article) == "<p>a</p>b"


def test_links_lose_everything_but_a_safe_address() -> None:
    article = '<a href="https://harbour.example/a" target="_blank" ping="https://spy.example">a</a>'
    assert rendered(article) == '<a href="https://harbour.example/a">a</a>'


def test_a_picture_fits_the_column_and_keeps_its_shape() -> None:
    article = '<img src="https://harbour.example/a.jpg" width="1072" height="600" alt="A mole">'
    shown = rendered(article)
    assert 'width="536"' in shown
    assert 'height="300"' in shown
    assert 'alt="A mole"' in shown


def test_a_picture_without_description_is_marked_as_decoration() -> None:
    assert 'alt=""' in rendered('<img src="https://harbour.example/a.jpg">')


def test_pictures_that_only_count_readers_are_dropped() -> None:
    assert rendered('<p>a<img src="https://spy.example/p.gif" width="1" height="1"></p>') == "<p>a</p>"


def test_a_quotation_is_marked_at_the_side_where_its_lines_begin() -> None:
    assert "from-left" in rendered("<blockquote>a</blockquote>")
    assert "from-right" in rendered("<blockquote>a</blockquote>", direction=Direction.RTL)


def test_the_nonce_is_taken_out_however_it_is_spelt() -> None:
    for spelling in ("nlnonce", "&#110;lnonce", "nl&#x6e;once", "nlnlnoncenonce", "n\x00lnonce", "nl\u202enonce"):
        assert "nlnonce" not in rendered(f"<p>a {spelling}unsubscribe</p>"), spelling


@pytest.mark.parametrize("element", ["div", "blockquote", "b", "ul", "table><tr><td"])
def test_an_article_nested_beyond_all_reason_keeps_its_words(element: str) -> None:
    shown = rendered(f"<{element}>" * 3000 + "<p>the words</p>")
    assert "the words" in shown
    assert shown.count("<") < 100


def test_lone_surrogates_and_controls_do_not_stop_it() -> None:
    assert rendered("<p>a\ud800b\x0bc\u202ed\ufffe</p>") == "<p>abcd</p>"


def test_an_article_without_anything_is_nothing() -> None:
    assert rendered("") == ""
    assert rendered("<script>x</script>  ") == ""


def test_text_outside_elements_is_kept_and_stays_escaped() -> None:
    assert rendered("a &lt;b&gt; &amp; <em>c</em> d") == "a &lt;b&gt; &amp; <em>c</em> d"
