"""Which language wins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.language.catalogue import LANGUAGES
from newsletter.language.choice import accepted_tags, chosen


@pytest.mark.parametrize(
    ("wishes", "accepted", "fallback", "language"),
    [
        (("ar",), "de", "fr", "ar"),
        ((None, "de-CH"), "fr", "en", "de"),
        (("tlh", None), "fr", "en", "fr"),
        ((), "tlh, de;q=0.5, fr;q=0.9", "en", "fr"),
        ((), "de;q=0, *;q=0.1", "fr", "fr"),
        ((), "", "ar-LB", "ar"),
        ((), "ja", "pt-BR", "en"),
    ],
)
def test_a_wish_goes_before_the_browser_and_the_browser_before_the_publication(
    wishes: tuple[str | None, ...], accepted: str, fallback: str, language: str
) -> None:
    assert chosen(*wishes, accepted=accepted, fallback=fallback) == language


def test_of_equal_weights_the_first_counts_and_what_makes_no_sense_is_passed_over() -> None:
    assert list(accepted_tags("fr, de;q=1.0, ;;, en;q=abc, ar;q=7, x y, de_AT")) == ["fr", "de"]


@given(st.text(), st.text(max_size=20), st.text(max_size=20))
def test_whatever_is_asked_one_of_our_languages_comes_of_it(accepted: str, wish: str, fallback: str) -> None:
    assert chosen(wish, accepted=accepted, fallback=fallback) in LANGUAGES
