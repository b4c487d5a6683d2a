import time

import pytest

from newsletter.collect.filters import fault_of, refusal
from newsletter.errors import FeedError
from newsletter.model.feed import Filter
from tests.collect.makers import a_feed, an_entry

ENTRY = an_entry(
    headline="A dam learns to let go",
    byline="Mira Holt",
    categories=("Rivers", "Engineering"),
    text="The spillway at Karst was opened.\n\nNobody had seen it open.",
)


def _refusal(*, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> str | None:
    return refusal(ENTRY, a_feed(filter=Filter(include=include, exclude=exclude)))


@pytest.mark.parametrize("word", ["dam", "DAM", "let  go", "mira holt", "rivers", "Karst", r"/spill\w+/", "/^A dam/"])
def test_a_word_is_found_in_all_that_an_entry_says(word: str) -> None:
    assert _refusal(exclude=(word,)) == f"excluded by the feed's filter: {word}"
    assert _refusal(include=("absent", word)) is None


@pytest.mark.parametrize("word", ["spill", "am", "hol", "earn", "/^Karst/"])
def test_a_word_is_not_found_inside_another(word: str) -> None:
    assert _refusal(exclude=(word,)) is None
    assert _refusal(include=(word,)) == f"matches none of the feed's filter: {word}"


def test_a_word_in_another_script_has_its_borders_too() -> None:
    entry = an_entry(headline="حين تعود المياه")
    assert refusal(entry, a_feed(filter=Filter(exclude=("تعود",))))
    assert refusal(entry, a_feed(filter=Filter(exclude=("عود",)))) is None


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        (r"/(a+)+$/", "repeats a group"),
        (r"/(a|aa)+$/", "repeats a group"),
        (r"/((a{1,9}){1,9}){1,9}b/", "repeats a group"),
        (r"/(?:(?:x+y)*z)*/", "repeats a group"),
        (r"/.*a.*b.*c/", "more than 2 repeats"),
        (r"/(a)\1/", "refer back"),
        ("/[/", "is no regular expression"),
        ("/" + "a" * 300 + "/", "more than 200 characters"),
        ("//", "is empty"),
        (" ", "is empty"),
    ],
)
def test_an_expression_that_could_hang_or_fail_is_refused_with_its_name(pattern: str, fault: str) -> None:
    assert fault in (fault_of(pattern) or "")
    with pytest.raises(FeedError, match="filter"):
        _refusal(exclude=(pattern,))


@pytest.mark.parametrize(
    "pattern", [r"/spons?or(ed)?/", r"/[+*]{3}/", r"/\(\w+\)/", "/(cat|dog)s/", r"/a.*b.*c/", "plain"]
)
def test_ordinary_expressions_pass(pattern: str) -> None:
    assert fault_of(pattern) is None


def test_the_slowest_expression_that_passes_is_quick_on_the_longest_text() -> None:
    entry = an_entry(text="a" * 50_000)
    began = time.process_time()
    assert refusal(entry, a_feed(filter=Filter(exclude=("/a.*a.*b/",)))) is None
    assert time.process_time() - began < 5
