"""What an editor may say about a part of a list's readers, and what they are told when it says nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import SegmentError
from newsletter.model.segment import Every, Is, Never, Not, Segment, Some, When, parsed

CORK = Is(about="field.town", texts=("Cork",))
TEXT = Is(about="format", texts=("text",))
GERMAN = Is(about="language", texts=("de",))


@pytest.mark.parametrize(
    ("line", "segment"),
    [
        ('field.town = "Cork"', CORK),
        ("field.town='Cork'", CORK),
        ("field.town = Cork", CORK),
        ('field.town != "Cork"', Not(CORK)),
        ('topic in ("Seas", \'"Land"\')', Is(about="topic", texts=("Seas", '"Land"'))),
        ("joined after 2026-01-31", When(about="joined", after=True, at=datetime(2026, 1, 31, tzinfo=UTC))),
        ("delivered before 12w ago", When(about="delivered", after=False, at=timedelta(weeks=12))),
        ("delivered never", Never()),
        ("not format = text", Not(TEXT)),
        ("field.town=Cork and format=text or language=de", Some((Every((CORK, TEXT)), GERMAN))),
        ("field.town=Cork and (format=text or language=de)", Every((CORK, Some((TEXT, GERMAN))))),
        ("not (format=text and not language=de)", Not(Every((TEXT, Not(GERMAN))))),
        ("field.and = or", Is(about="field.and", texts=("or",))),
    ],
)
def test_a_line_says_what_it_reads_like(line: str, segment: Segment) -> None:
    assert parsed(line) == segment


@pytest.mark.parametrize(
    ("line", "at", "rule"),
    [
        ("", 1, "expected a name: language, domain, topic, format, rhythm, joined, delivered, or field.NAME"),
        ("town = Cork", 1, "expected a name"),
        ("topics = Seas", 1, "no such name, did you mean topic?"),
        ("field. = x", 1, "expected a name"),
        ("field.town ~ Cork", 12, "expected =, != or in"),
        ("field.town =", 13, "expected a text"),
        ("format = plain", 10, "expected html or text"),
        ("joined = 2026-01-01", 8, "expected before or after"),
        ("joined never", 8, "expected before or after"),
        ("joined after yesterday", 14, "expected a date such as 2026-01-31, or an age"),
        ("joined after 2026-02-31", 14, "expected a date"),
        ("joined after 30d", 17, "expected ago"),
        ('field.town = "Cork', 14, "expected a quote that ends"),
        ("(format = text", 15, "expected )"),
        ("format = text)", 14, "expected and, or, or the end"),
        ("format = text language = de", 15, "expected and, or, or the end"),
        ("topic in Seas", 10, "expected ("),
        ("(" * 30 + "format = text" + ")" * 30, 21, "expected at most 20"),
        ("a" * 3000, 2001, "expected at most 2000 characters"),
        ("1; DROP TABLE subscribers; --", 1, "expected a name"),
    ],
)
def test_a_line_that_says_nothing_is_refused_with_the_place_and_the_rule(line: str, at: int, rule: str) -> None:
    with pytest.raises(SegmentError) as refused:
        parsed(line)
    assert (refused.value.at, rule in refused.value.rule) == (at, True), refused.value


@given(st.text(alphabet="()=!,'\" abdefilnortx.0123-", max_size=60))
def test_whatever_is_written_is_understood_or_refused(line: str) -> None:
    at = 1
    try:
        parsed(line)
    except SegmentError as error:
        at = error.at
    assert 1 <= at <= len(line) + 1
