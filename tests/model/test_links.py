import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model.links import safe_url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example/x",
        "/relative",
        "https://",
        "http:///path",
        "https://[broken/",
        "https://evil.example/a b",
        "https://evil.example/\r\nBcc: x",
        "https://evil.example/" + "x" * 3000,
        "https://evil.example/\ud800",
        "",
    ],
)
def test_what_is_no_plain_web_address_is_dropped(url: str) -> None:
    assert safe_url(url) == ""


def test_a_web_address_stays_as_it_is() -> None:
    assert safe_url("https://harbour.example/a?b=c&d=%20#e") == "https://harbour.example/a?b=c&d=%20#e"


def test_signs_that_could_leave_an_attribute_or_a_line_are_percent_encoded() -> None:
    assert safe_url('https://harbour.example/"><b>') == "https://harbour.example/%22%3E%3Cb%3E"
    assert safe_url("https://harbour.example/مرفأ\u202e").isascii()


@given(st.text())
def test_a_kept_address_is_one_printable_ascii_word(url: str) -> None:
    kept = safe_url(url)
    assert kept.isascii()
    assert not kept or (kept.isprintable() and " " not in kept and kept.lower().startswith(("http://", "https://")))
