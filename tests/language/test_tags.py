from datetime import date

import pytest

from newsletter.language.tags import direction_of, written_date


@pytest.mark.parametrize("tag", ["ar", "ar-LB", "fa", "he", "ur", "ps", "yi", "ug", "ckb", "az-Arab"])
def test_languages_written_from_the_right_are_known(tag: str) -> None:
    assert direction_of(tag) == "rtl"


@pytest.mark.parametrize("tag", ["en", "en-GB", "de", "zh-Hant", "sr-Latn", "nonsense", "", "x-private", "../etc"])
def test_all_others_and_nonsense_read_from_the_left(tag: str) -> None:
    assert direction_of(tag) == "ltr"


def test_dates_are_written_as_the_language_writes_them() -> None:
    day = date(2026, 11, 23)
    assert written_date(day, language="en-GB") == "Monday, 23 November 2026"
    assert written_date(day, language="de") == "Montag, 23. November 2026"
    assert "نوفمبر" in written_date(day, language="ar")
    assert written_date(day, language="fr", form="d MMMM") == "23 novembre"
