"""Marks of counted links."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.feedback.marks import Marks

OLD, NEW = b"o" * 32, b"n" * 32
LINKS = ("https://harbour.example/1", "https://harbour.example/2")


def test_a_mark_stands_for_one_link_of_one_edition_and_is_the_same_for_everybody() -> None:
    marks = Marks((OLD,))
    mark = marks.link("daily-1", LINKS[1])
    assert marks.link("daily-1", LINKS[1]) == mark
    assert marks.url("daily-1", mark, LINKS) == LINKS[1]
    assert marks.url("daily-2", mark, LINKS) is None
    assert marks.url("daily-1", mark, LINKS[:1]) is None
    assert not marks.is_opened("daily-1", mark)
    assert marks.is_opened("daily-1", marks.opened("daily-1"))


def test_links_in_old_mails_work_after_the_key_has_changed_and_those_of_others_never() -> None:
    mark = Marks((OLD,)).link("daily-1", LINKS[0])
    assert Marks((NEW, OLD)).url("daily-1", mark, LINKS) == LINKS[0]
    assert Marks((NEW,)).url("daily-1", mark, LINKS) is None


def test_a_program_that_runs_reads_marks_of_a_key_that_came_later() -> None:
    keys = [OLD]
    running, mark = Marks((OLD,), reread=lambda: tuple(keys)), Marks((NEW, OLD)).link("daily-1", LINKS[0])
    assert running.url("daily-1", mark, LINKS) is None

    keys.insert(0, NEW)

    assert running.url("daily-1", mark, LINKS) == LINKS[0]
    assert running.url("daily-1", Marks((OLD,)).link("daily-1", LINKS[1]), LINKS) == LINKS[1]


@given(st.text(), st.text())
def test_nothing_made_up_is_a_mark(edition_id: str, mark: str) -> None:
    assert Marks((OLD,)).url(edition_id, mark, LINKS) is None
