from dataclasses import replace
from datetime import timedelta

from newsletter.collect.hosts import surveyed
from newsletter.model.feed import FeedHealth, FeedState, Habits, Move
from tests.collect.makers import NOW, a_feed

COURIER, HARBOUR, STRAIT = (
    a_feed("courier", url="https://press.example/courier"),
    a_feed("harbour", url="https://harbour.example/feed"),
    a_feed("strait", url="https://PRESS.example/strait"),
)
KNOWN = FeedHealth(feed_id="harbour", url=HARBOUR.url, state=FeedState.ACTIVE, last_try_at=NOW)


def test_feeds_of_one_host_are_asked_together() -> None:
    survey = surveyed((COURIER, HARBOUR, STRAIT), (), now=NOW, force=False)
    assert [list(places) for places in survey.due] == [[0, 2], [1]]


def test_a_feed_is_asked_with_those_of_the_host_it_moved_to() -> None:
    move = Move(to="https://press.example/harbour", since_at=NOW, last_at=NOW, followed=True)
    moved = replace(KNOWN, habits=Habits(move=move))
    survey = surveyed((COURIER, HARBOUR), [moved], now=NOW, force=False)
    assert [list(places) for places in survey.due] == [[0, 1]]


def test_a_feed_that_is_not_due_keeps_no_place_and_says_why() -> None:
    waiting = replace(KNOWN, next_poll_at=NOW + timedelta(hours=1))
    off = replace(STRAIT, enabled=False)
    survey = surveyed((COURIER, HARBOUR, off), [waiting], now=NOW, force=False)
    assert [list(places) for places in survey.due] == [[0]]
    assert survey.refused == {1: "not due before 2026-03-05 13:00 UTC", 2: "switched off in its settings"}
    assert [list(places) for places in surveyed((HARBOUR,), [waiting], now=NOW, force=True).due] == [[0]]


def test_a_host_that_said_so_of_a_feed_nobody_polls_now_is_spared() -> None:
    busy = replace(KNOWN, last_status=429, not_before_at=NOW + timedelta(minutes=20))
    survey = surveyed((COURIER,), [busy], now=NOW, force=False)
    assert survey.spared == {"harbour.example": NOW + timedelta(minutes=20)}
