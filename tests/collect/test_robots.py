"""What a robots.txt allows us, by RFC 9309."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.collect.robots import refusal, rules_of

SITE = "https://courier.example"


def allowed(text: str, path: str) -> bool:
    return refusal(SITE + path, rules_of(text.encode())) is None


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("User-agent: *\nAllow: /a/b\nDisallow: /a", "/a/c", False),
        ("User-agent: *\nAllow: /a\nDisallow: /a", "/a", True),
        ("User-agent: *\nDisallow: /a", "/A", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?z", True),
        ("User-agent: *\nDisallow: /a*b*c", "/a1b2c3", False),
        ("User-agent: *\nDisallow: /a*b*c", "/a1c2b3", True),
        ("User-agent: *\nDisallow: /$", "/", False),
        ("User-agent: *\nDisallow: /$", "/a", True),
        ("User-agent: *\nDisallow: *", "/a", False),
        ("User-agent: *\nDisallow: /*?page=", "/a?page=2", False),
        ("User-agent: *\nDisallow: /caf%C3%A9", "/café", False),
        ("User-agent: *\nDisallow: /café", "/caf%c3%a9", False),
        ("User-agent: *\nDisallow: /a%2Fb", "/a/b", True),
        ("User-agent: *\nDisallow: /%7Ejoe", "/~joe/x", False),
        ("User-agent: *\nDisallow: /a # all of it", "/a", False),
        ("\ufeffuser-agent : *\r\ndisallow : /a\r\n", "/a", False),
        ("Disallow: /\nUser-agent: *\nDisallow: /b", "/a", True),
        ("User-agent: newsletter\nDisallow: /a\n\nUser-agent: *\nDisallow: /", "/b", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Newsletter/2.0\nDisallow: /a", "/a", False),
        ("User-agent: newsletter-bot\nDisallow: /", "/a", True),
        ("User-agent: one\nUser-agent: newsletter\nDisallow: /a\nUser-agent: other\nDisallow: /b", "/a", False),
        ("User-agent: newsletter\nDisallow: /a\nUser-agent: x\nDisallow: /c\nUser-agent: newsletter\nDisallow: /b", "/b", False),
        ("User-agent: newsletter\n\nUser-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nCrawl-delay: 5\nSitemap: https://x/\nDisallow: /a", "/a", False),
    ],
)  # fmt: skip
def test_the_longest_rule_of_our_group_decides(text: str, path: str, expected: bool) -> None:
    assert allowed(text, path) is expected


def test_a_refusal_names_the_rule() -> None:
    assert refusal(f"{SITE}/a/b", rules_of(b"User-agent: *\nDisallow: /a")) == "robots.txt disallows /a"


@settings(max_examples=60)
@given(st.binary(max_size=400), st.text(max_size=40))
def test_any_file_and_any_address_have_an_answer(content: bytes, path: str) -> None:
    refusal(f"{SITE}/{path}", rules_of(b"User-agent: *\nDisallow: " + content))


def test_a_pattern_of_stars_alone_takes_no_time_and_a_file_no_more_than_is_read() -> None:
    assert allowed("User-agent: *\nDisallow: /" + "*a" * 20_000 + "$", "/" + "a" * 10_000)
    assert len(rules_of(b"User-agent: *\n" + b"Disallow: /a\n" * 200_000)) <= 5000
