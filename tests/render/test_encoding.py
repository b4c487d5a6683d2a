import email.header
import quopri
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.render.encodedwords import encoded_words, phrase, unstructured
from newsletter.render.transfer import base64_lines, qp

PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]))


def decoded(value: str) -> str:
    """A header value as another program reads it."""
    return str(email.header.make_header(email.header.decode_header(value.replace("\r\n", ""))))


@given(st.binary(max_size=2000))
def test_quoted_printable_gives_the_bytes_back_in_lines_of_76(data: bytes) -> None:
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"").split(b"\n")
    raw = b"\r\n".join(lines)
    coded = qp(raw)
    assert coded.isascii()
    assert all(len(line) <= 76 for line in coded.split(b"\r\n"))
    assert not any(line.endswith((b" ", b"\t")) for line in coded.split(b"\r\n"))
    assert quopri.decodestring(coded) == raw


def test_no_line_begins_with_from_as_old_mail_stores_would_change_it() -> None:
    assert qp(b"From here on") == b"=46rom here on"


@given(st.binary(max_size=2000))
def test_base64_gives_the_bytes_back_in_lines_of_76(data: bytes) -> None:
    coded = base64_lines(data)
    assert all(len(line) <= 76 for line in coded.split(b"\r\n"))
    assert b64decode(coded) == data


@given(PRINTABLE.filter(bool))
def test_encoded_words_are_short_ascii_and_split_between_characters(text: str) -> None:
    lines = encoded_words(text, first_room=60).split("\r\n ")
    assert len(lines[0]) <= 60
    for word in lines:
        assert len(word) <= 75
        assert word.isascii()
        # Each word is a whole text by itself (RFC 2047 section 5), or half a character would show.
        (data, charset) = email.header.decode_header(word)[0]
        assert charset == "utf-8"
        data.decode("utf-8")
    assert decoded("\r\n ".join(lines)) == text


def test_a_name_with_one_accent_stays_legible() -> None:
    assert encoded_words("Zoé Tremblay", first_room=60) == "=?utf-8?q?Zo=C3=A9_Tremblay?="


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("Lovelace, Ada", '"Lovelace, Ada"'),
        ('Ada "the" Countess', '"Ada \\"the\\" Countess"'),
        ("back\\slash", '"back\\\\slash"'),
        ("ada@example.org", '"ada@example.org"'),
        ("a <b@c.example>", '"a <b@c.example>"'),
        ("=?utf-8?q?x?=", '"=?utf-8?q?x?="'),
    ],
)
def test_a_name_cannot_become_a_second_address(name: str, written: str) -> None:
    assert phrase(name) == written


@given(PRINTABLE.map(lambda text: " ".join(text.split())))
def test_a_subject_is_folded_without_loss(text: str) -> None:
    field = unstructured("Subject", text)
    assert field.isascii()
    assert field.endswith("\r\n")
    first, *rest = field[:-2].split("\r\n")
    assert first.startswith("Subject:")
    assert all(line.startswith(" ") and line.strip() for line in rest)
    if not text.isascii():
        assert decoded(field.removeprefix("Subject: ").removesuffix("\r\n")) == text
        assert all(len(line) <= 78 for line in (first, *rest))
    else:
        assert field[:-2].replace("\r\n", "") == f"Subject: {text}"
