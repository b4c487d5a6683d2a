from hypothesis import given
from hypothesis import strategies as st

from newsletter.render.wrapping import text_width, wrapped

LINK = "https://harbour.example/" + "very-long-path/" * 8


def test_lines_are_no_wider_than_asked_for() -> None:
    lines = wrapped("a quiet contest over who may dredge the strait " * 6, width=40).split("\n")
    assert max(map(len, lines)) <= 40
    assert len(lines) > 6


def test_a_link_is_never_broken_and_stands_whole() -> None:
    assert LINK in wrapped(f"Read it at {LINK} or wait", width=40).split("\n")


def test_chinese_counts_two_columns_a_character_and_breaks_without_blanks() -> None:
    lines = wrapped("海峡两岸的测量船已经开始绘制同一条航道的海图" * 3, width=20).split("\n")
    assert all(text_width(line) <= 20 for line in lines)
    assert all(text_width(line) >= 18 for line in lines[:-1])


def test_no_chinese_line_begins_with_a_full_stop() -> None:
    assert not any(line.startswith("。") for line in wrapped("两港相望。" * 20, width=18).split("\n"))


def test_marks_on_letters_take_no_column() -> None:
    assert text_width("e\u0301te\u0301") == 3
    assert text_width("مُدُن") == 3


def test_arabic_is_wrapped_between_words_only() -> None:
    text = "عادت السفن الصغيرة قبل أن تعود الرافعات وعاد معها سؤال من يملك الرصيف"
    assert wrapped(text, width=30).replace("\n", " ") == text


def test_following_lines_of_a_list_item_are_indented() -> None:
    assert wrapped("one two three", width=9, first="- ", rest="  ") == "- one two\n  three"


@given(st.text(), st.integers(min_value=1, max_value=100))
def test_wrapping_loses_and_invents_no_word(text: str, width: int) -> None:
    kept = "".join(wrapped(text, width=width).split())
    assert kept == "".join(text.split())
