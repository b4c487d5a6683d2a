import pytest

from newsletter.collect.revision import changes
from tests.collect.makers import an_entry
from tests.collect.texts import ARTICLE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("cooperative of its passengers", "co-operative of its passengers"),
        ("harbour railway", "harbor railway"),
        ("“We were told", '"We were told'),
        ("offer.\n\n“We", "offer. “We"),
        ("passengers, ending", "passengers – ending"),
        ("yearly ticket", "yaerly ticket"),
    ],
    ids=["hyphen", "spelling", "quotation marks", "paragraphs", "dash", "letters"],
)
def test_a_slip_put_right_is_no_change(before: str, after: str) -> None:
    assert changes(an_entry(text=ARTICLE), an_entry(text=ARTICLE.replace(before, after))) is None


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("212,000", "221,000", "text: 1 words taken out, 1 put in, of "),
        ("a third of", "a tenth of", "text: 1 words taken out, 1 put in, of "),
        ("is no alternative", "is an alternative", "text: 1 words taken out, 1 put in, of "),
        ("The vote was nine to four. ", "", "text: 6 words taken out, 0 put in, of "),
        (ARTICLE, "", "text left out"),
    ],
    ids=["number", "another word", "no", "sentence", "all"],
)
def test_what_a_reader_would_want_to_know_is_a_change_and_told_in_words(before: str, after: str, told: str) -> None:
    found = changes(an_entry(text=ARTICLE), an_entry(text=ARTICLE.replace(before, after)))
    assert found is not None
    assert found.startswith(told)


def test_headline_dek_and_text_are_told_one_by_one() -> None:
    before = an_entry(headline="A dam lets go", dek="Slowly.", text=ARTICLE)
    after = an_entry(headline="A dam does not let go", text=f"{ARTICLE}\n\nCorrection: it did not.")
    found = changes(before, after) or ""
    assert found.startswith("headline changed; dek left out; text: 0 words taken out, 4 put in, of ")


def test_other_pictures_and_markup_are_no_change() -> None:
    assert changes(an_entry(text=ARTICLE, html="<p>a</p>"), an_entry(text=ARTICLE, html="<p><b>a</b></p>")) is None
