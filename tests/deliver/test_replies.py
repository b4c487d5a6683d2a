import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.deliver.replies import Replies

words = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=40).map(str.strip)
replies = st.tuples(st.integers(200, 599), st.lists(words, min_size=1, max_size=4))


def written(code: int, lines: list[str]) -> bytes:
    *first, last = lines
    return "".join([f"{code}-{line}\r\n" for line in first] + [f"{code} {last}\r\n"]).encode()


@given(st.lists(replies, max_size=6), st.lists(st.integers(1, 9), min_size=1))
def test_replies_are_the_same_however_they_are_cut_on_the_way(
    said: list[tuple[int, list[str]]], cuts: list[int]
) -> None:
    data, reader, heard, turn = b"".join(written(*each) for each in said), Replies(), [], 0
    while data:
        size = cuts[turn % len(cuts)]
        heard += reader.fed(data[:size])
        data, turn = data[size:], turn + 1
    assert heard == [(code, "\n".join(lines)) for code, lines in said]


@given(st.binary(max_size=200))
def test_whatever_comes_is_replies_or_a_refusal(data: bytes) -> None:
    try:
        heard = Replies().fed(data)
    except ValueError:
        return
    assert all(0 <= code <= 999 for code, _ in heard)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_code_alone_is_a_reply(end: bytes) -> None:
    assert Replies().fed(b"354" + end) == [(354, "")]


@pytest.mark.parametrize("data", [b"hello\r\n", b"25\r\n", b"250_\r\n", b"\r\n", b"2 50 x\r\n"])
def test_what_is_no_reply_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no reply"):
        Replies().fed(data)


def test_a_line_or_a_reply_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="line without"):
        Replies().fed(b"2" * 10_000)
    with pytest.raises(ValueError, match="reply without"):
        Replies().fed(b"250-" + b"x" * 1000 + b"\r\n" + (b"250-" + b"x" * 1000 + b"\r\n") * 50)
