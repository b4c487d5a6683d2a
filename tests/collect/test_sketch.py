from dataclasses import replace

import pytest

from newsletter.collect.sketch import Likeness, likeness, phrases, same_text, sketch, words
from tests.collect.texts import ARTICLE, NEW_LEAD, OTHER_REPORT, ROUNDUP, TRANSLATED, edited, lead_of

HEADLINE = "Island hands its railway to the passengers"
OTHER_HEADLINE = "Who owns the harbour line? Whoever rides it"


def _compare(text: str, *, headline: str = OTHER_HEADLINE, with_text: str = ARTICLE) -> Likeness:
    return likeness(headlines=(HEADLINE, headline), texts=(with_text, text))


@pytest.mark.parametrize(
    ("text", "headline"),
    [
        (ARTICLE, OTHER_HEADLINE),
        (NEW_LEAD + "\n\n" + ARTICLE, OTHER_HEADLINE),
        (edited(ARTICLE), OTHER_HEADLINE),
        (NEW_LEAD + "\n\n" + edited(ARTICLE) + "\n\nFirst published by the Saltmarsh Review.", OTHER_HEADLINE),
        (lead_of(ARTICLE), HEADLINE),
        (ARTICLE[: len(ARTICLE) // 2], OTHER_HEADLINE),
    ],
    ids=["new headline", "new lead", "edited", "new lead and edited", "lead only", "first half"],
)
def test_a_republication_is_the_same_text(text: str, headline: str) -> None:
    assert same_text(_compare(text, headline=headline))


@pytest.mark.parametrize(
    ("text", "headline"),
    [
        (OTHER_REPORT, HEADLINE),
        (TRANSLATED, HEADLINE),
        (ROUNDUP, "The week on the islands"),
        ("The council of Vell voted on Tuesday.", HEADLINE),
        ("", HEADLINE),
        (lead_of(ARTICLE), "Five things to do this weekend"),
    ],
    ids=["other report", "translation", "roundup", "too short", "empty", "quoted lead"],
)
def test_another_piece_on_the_same_event_is_not(text: str, headline: str) -> None:
    assert not same_text(_compare(text, headline=headline))


def test_a_formula_with_another_number_is_another_piece() -> None:
    day = "These are the key developments from day {} of the long strike in the harbour of Vell and the islands around it."
    found = likeness(headlines=("Key events, day 14", "Key events, day 15"), texts=(day.format("14"), day.format("15")))
    assert not same_text(found)


def test_there_is_a_wide_gap_between_copies_and_other_reports() -> None:
    copies = [_compare(text).share for text in (NEW_LEAD + edited(ARTICLE), ARTICLE[:800], edited(ARTICLE))]
    others = [_compare(text).share for text in (OTHER_REPORT, TRANSLATED)]
    assert min(copies) > 0.75
    assert max(others) < 0.1


@pytest.mark.parametrize(
    "text", [NEW_LEAD + "\n\n" + edited(ARTICLE), lead_of(ARTICLE), ARTICLE + "\n\nRepublished with thanks."]
)
def test_a_copy_can_be_found_by_its_sketch(text: str) -> None:
    assert set(sketch(text)) & set(sketch(ARTICLE))


def test_another_report_shares_nothing_of_the_sketch() -> None:
    assert not set(sketch(OTHER_REPORT)) & set(sketch(ARTICLE))


def test_words_are_the_same_whatever_the_typography() -> None:
    assert words("“Don’t” — it’s a ﬁne DAY…") == words('"Don\u2019t" - it\u2019s a fine day')


def test_text_without_spaces_has_phrases_too() -> None:
    assert len(phrases("港口铁路交给乘客合作社")) > 5


def test_a_share_is_told_in_words() -> None:
    assert _compare(ARTICLE).words.startswith("100 % of ")


def test_the_same_author_makes_less_text_enough_but_never_a_note_about_the_author() -> None:
    note = "Mara Lind is a fellow of the Coast Institute and writes about harbours, pilots and the law of the sea. "
    body = " ".join(f"Sentence number {n} says something about the {n + 7}th ship of the year." for n in range(7))
    first = (
        "It began with a list that the pilots of the northern shore had kept for themselves, in pencil, since the war."
    )
    lead = "Nobody had expected the harbour to answer, and for a long while it looked as if they were right again."
    republished = likeness(
        headlines=("Ships of the year", "A harbour answers"),
        texts=(f"{first} {body}", f"{lead} {body}"),
        bylines=("Mara Lind", "Mara Lind"),
    )
    assert same_text(republished)
    assert not same_text(replace(republished, same_author=False))
    other = " ".join(f"Item {n} is about another port altogether, far inland." for n in range(7))
    noted = likeness(
        headlines=("Ships of the year", "Inland ports"),
        texts=(f"{body} {note}", f"{other} {note}"),
        bylines=("Mara Lind", "Mara Lind"),
    )
    assert not same_text(noted)
