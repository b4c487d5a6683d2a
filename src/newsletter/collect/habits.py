"""What is learned of a feed by asking it: how often it brings something, whether entries were missed, where it went."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from newsletter.collect.body import ParsedFeed
from newsletter.model.feed import FeedHealth, Habits, Move
from newsletter.model.identity import Decision, Verdict
from newsletter.model.text import counted, together

_FEWEST_DATES = 5
_OLD_WEIGHT = 3
# A redirect is believed when it was seen this often, over this long: a mistake is mended sooner, a hijack noticed.
_SIGHTINGS = 3
_SEEN_FOR = timedelta(days=3)
_APART = timedelta(hours=6)
_FAILURES_OF_A_MOVE = 3


def learned(habits: Habits, parsed: ParsedFeed, *, now: datetime) -> Habits:
    """The habits after a document was read."""
    return replace(
        habits,
        skip_hours=parsed.skip_hours,
        skip_days=parsed.skip_days,
        lasts=parsed.lasts,
        window=parsed.known + len(parsed.entries),
        pace=_pace(habits, parsed, now),
        news_at=now if parsed.entries else habits.news_at,
        hub=parsed.hub,
    )


def heard(habits: Habits, parsed: ParsedFeed, *, now: datetime) -> Habits:
    """The habits after a hub pushed a document. It may be a part: it tells what came, not what the feed lists."""
    return replace(habits, pace=_pace(habits, parsed, now), news_at=now if parsed.entries else habits.news_at)


def _pace(habits: Habits, parsed: ParsedFeed, now: datetime) -> timedelta | None:
    """The usual time between two entries: at first by their dates, later by how many come in which time."""
    if habits.news_at is None:
        dates = sorted(keyed.entry.published_at for keyed in parsed.entries if keyed.entry.published_at)
        return (dates[-1] - dates[0]) / (len(dates) - 1) or None if len(dates) >= _FEWEST_DATES else None
    if not parsed.entries or now <= habits.news_at:
        return habits.pace
    seen = (now - habits.news_at) / len(parsed.entries)
    return (habits.pace * _OLD_WEIGHT + seen) / (_OLD_WEIGHT + 1) if habits.pace else seen


def sighted(habits: Habits, *, url: str, to: str | None, now: datetime) -> Habits:
    """The habits after an answer for `url`, which came by permanent redirects from `to`, or by none.

    A feed whose URL holds a user name stays where it is: its password was given for that place.
    """
    move = habits.move
    if to is None or urlsplit(url).username is not None:
        return habits if move is None or move.followed else replace(habits, move=None)
    if move is None or move.to != to:
        return replace(habits, move=Move(to=to, since_at=now, last_at=now))
    if now - move.last_at < _APART:
        return habits
    return replace(habits, move=replace(move, last_at=now, times=move.times + 1))


def without_move_that_fails(habits: Habits, failures: int) -> Habits:
    """The habits without a move that was followed, when nothing answers there any more: its URL is asked again."""
    if habits.move and habits.move.followed and failures >= _FAILURES_OF_A_MOVE:
        return replace(habits, move=None)
    return habits


def concluded(health: FeedHealth, decisions: Collection[Decision], *, parsed: ParsedFeed, first: bool) -> FeedHealth:
    """The health of a feed once it was decided what the entries of its document are.

    If nothing of a whole document was known, entries may have been missed; if something was, a move may be believed.
    """
    if any(one.verdict is Verdict.NEW for one in decisions):
        health = replace(health, habits=replace(health.habits, unpushed_at=health.last_success_at))
    if parsed.known or any(one.verdict is not Verdict.NEW for one in decisions):
        return replace(health, habits=_believed(health.habits))
    return _with_gap(health) if decisions and not first and parsed.cut_after is None else health


def cut_short(health: FeedHealth, after: int | None) -> FeedHealth:
    """The health of a feed whose document broke off `after` so many items, or did not."""
    return told(health, breaks_off(after))


def breaks_off(after: int | None, what: str = "the document") -> str | None:
    """In words that a document broke off `after` so many items, if it did."""
    return None if after is None else f"{what} breaks off after {counted(after, 'item')}"


def _with_gap(health: FeedHealth) -> FeedHealth:
    missed = "nothing that it had shown before was in it any more: items may have been missed between two polls"
    return told(replace(health, habits=replace(health.habits, gap_at=health.last_success_at)), missed)


def told(health: FeedHealth, because: str | None) -> FeedHealth:
    """The health with one thing more that is wrong."""
    return replace(health, because=together(health.because, because)) if because else health


def _believed(habits: Habits) -> Habits:
    move = habits.move
    if move is None or move.times < _SIGHTINGS or move.last_at - move.since_at < _SEEN_FOR:
        return habits
    return replace(habits, move=replace(move, followed=True))
