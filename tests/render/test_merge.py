from base64 import b64decode
from html import escape
from quopri import decodestring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.render.environment import Templates
from newsletter.render.merge import Base64Merge, QuotedMerge, cut, merge_of
from newsletter.render.render import render_digest
from newsletter.render.samples import NONCE, plain_draft

FIELDS = ("address", "name", "unsubscribe")
LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=200)
VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200)


Document = tuple[tuple[bytes, ...], tuple[str, ...], dict[str, str]]


@st.composite
def documents(draw: st.DrawFn) -> Document:
    fields = tuple(draw(st.lists(st.sampled_from(FIELDS), max_size=6)))
    pieces = tuple(draw(LINES).replace("\n", "\r\n").encode() for _ in range(len(fields) + 1))
    return pieces, fields, {field: draw(VALUES) for field in FIELDS}


def direct(pieces: tuple[bytes, ...], fields: tuple[str, ...], values: dict[str, str], *, markup: bool) -> bytes:
    shown = [escape(values[field]) if markup else values[field] for field in fields]
    return pieces[0] + b"".join(value.encode() + piece for value, piece in zip(shown, pieces[1:], strict=True))


@given(documents(), st.booleans())
def test_quoted_printable_merged_is_what_would_have_been_encoded_at_once(document: Document, markup: bool) -> None:
    pieces, fields, values = document
    merged = b"".join(QuotedMerge.of(pieces, fields, markup=markup).filled(values))
    assert merged.endswith(b"\r\n")
    assert decodestring(merged[:-2]) == direct(pieces, fields, values, markup=markup)
    assert all(len(line) <= 76 for line in merged.split(b"\r\n"))


@given(documents(), st.booleans())
def test_base64_merged_is_what_would_have_been_encoded_at_once(document: Document, markup: bool) -> None:
    pieces, fields, values = document
    merged = b"".join(Base64Merge.of(pieces, fields, markup=markup).filled(values))
    assert b64decode(merged, validate=False) == direct(pieces, fields, values, markup=markup)
    lines = merged.split(b"\r\n")
    assert all(len(line) <= 76 for line in lines)
    # Padding ends a base64 stream: readers stop there.
    assert all(b"=" not in line for line in lines[:-2])


def test_a_document_is_cut_where_a_field_is_named_and_nowhere_else() -> None:
    pieces, fields = cut(f"a {NONCE}name, {NONCE}unsubscribes {NONCE}nothing", NONCE)
    assert pieces == ("a ", ", ", f"s {NONCE}nothing")
    assert fields == ("name", "unsubscribe")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("The soundings stop where the disputed shelf begins.\n" * 20, "quoted-printable"),
        ("海峡两岸的测量船已经开始绘制同一条航道的海图。\n" * 20, "base64"),
        ("عادت السفن الصغيرة قبل أن تعود الرافعات.\n" * 20, "base64"),
    ],
)
def test_the_shorter_encoding_is_chosen_by_script(templates: Templates, text: str, encoding: str) -> None:
    rendered = render_digest(plain_draft(), NONCE, templates=templates)
    assert merge_of(text, rendered, markup=False).encoding == encoding
