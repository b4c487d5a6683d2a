"""In which state new items come in: news, history, filtered out, or held because there are too many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from newsletter.collect.filters import refusal
from newsletter.model.feed import Feed
from newsletter.model.identity import Decision, Verdict
from newsletter.model.item import ItemState

# Even a feed that starts with one item may bring a busy day's worth later.
_SMALLEST_WINDOW = 5
_FLOOD = 3
_UNDATED = datetime.min.replace(tzinfo=UTC)


def admitted(decisions: Sequence[Decision], *, feed: Feed, first: bool, held: bool = False) -> tuple[Decision, ...]:
    """The decisions, in their order, with the states of new items settled.

    A first poll accepts the newest `first_poll`; the rest is known, not news. Later polls accept all, unless there
    are more than three times as many: then the rest is held for an operator, and as long as the feed waits for one no
    poll lets more than the newest in.
    """
    judged = [_filtered(decision, feed) for decision in decisions]
    news = [at for at, one in enumerate(judged) if one.verdict is Verdict.NEW and one.state is ItemState.ACCEPTED]
    if not first and len(news) <= (1 if held else _FLOOD) * max(feed.first_poll, _SMALLEST_WINDOW):
        return tuple(judged)
    newest = sorted(news, key=lambda at: (_date(judged[at]), -at), reverse=True)
    for at in newest[feed.first_poll :]:
        judged[at] = _put_aside(judged[at], feed, first=first, at_once=len(news))
    return tuple(judged)


def _filtered(decision: Decision, feed: Feed) -> Decision:
    if decision.verdict is not Verdict.NEW or not (why := refusal(decision.keyed.entry, feed)):
        return decision
    return replace(decision, state=ItemState.DROPPED, because=why)


def _date(decision: Decision) -> datetime:
    return decision.keyed.entry.published_at or _UNDATED


def _put_aside(decision: Decision, feed: Feed, *, first: bool, at_once: int) -> Decision:
    if first:
        why = f"older than the newest {feed.first_poll} when the feed was first read"
        state = ItemState.KNOWN
    else:
        why = f"{at_once} new items at once: only the newest {feed.first_poll} were let in"
        state = ItemState.HELD
    return replace(decision, state=state, because=f"{decision.because}; {why}" if decision.because else why)
