"""When a feed is asked, and what is remembered of how it answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from newsletter.model.feed import Feed, FeedHealth, FeedState, Validators

SHORTEST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=24)
_MOST_DOUBLINGS = 12


def why_not(feed: Feed, health: FeedHealth | None, *, now: datetime, force: bool) -> str | None:
    """Why a feed is not asked now, or None if it is due.

    `force` asks one that is not due yet, but not one that said it is gone, nor one whose server wants to be left alone.
    """
    if not feed.enabled:
        return "switched off in its settings"
    if health is None or health.url != feed.url:
        return None
    if health.state is FeedState.GONE:
        return "its server said that it is gone for good (410): change its url or remove it"
    if _is_ahead(health.not_before_at, now, feed):
        return f"its server asked not to be asked before {_minute(health.not_before_at)}"
    if not force and _is_ahead(health.next_poll_at, now, feed):
        return f"not due before {_minute(health.next_poll_at)}"
    return None


def _is_ahead(at: datetime | None, now: datetime, feed: Feed) -> bool:
    """Whether an instant is still to come; one beyond any wait of ours was written by a clock that was wrong."""
    return at is not None and now < at <= now + 2 * max(feed.poll_every, 7 * LONGEST_WAIT)


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""


def asked_anew(feed: Feed, health: FeedHealth) -> FeedHealth:
    """The health of a feed that is about to be asked: nothing that an old address told is believed at a new one."""
    if health.url == feed.url:
        return health
    fresh = FeedState.NEW if health.state is FeedState.NEW else FeedState.ACTIVE
    return FeedHealth(feed_id=feed.id, url=feed.url, state=fresh, last_success_at=health.last_success_at)


def succeeded(
    feed: Feed,
    health: FeedHealth,
    *,
    status: int,
    validators: Validators,
    body_hash: str | None,
    now: datetime,
    jitter: float,
    skip_hours: frozenset[int] = frozenset(),
) -> FeedHealth:
    """After an answer that was read or needed no reading. `jitter`, in [0, 1), lengthens the wait by up to a tenth."""
    return replace(
        health,
        state=FeedState.ACTIVE if health.state is FeedState.NEW else health.state,
        validators=validators,
        body_hash=body_hash,
        last_status=status,
        last_try_at=now,
        last_success_at=now,
        next_poll_at=_after_skipped(now + feed.poll_every * (1 + jitter / 10), skip_hours),
        not_before_at=None,
        failures=0,
        because=None,
    )


def failed(
    feed: Feed,
    health: FeedHealth,
    *,
    because: str,
    status: int | None,
    wait: timedelta | None,
    now: datetime,
    jitter: float,
) -> FeedHealth:
    """After an answer that was none. The wait doubles with each failure, up to a day, and never ends.

    `wait` is the server's Retry-After. Validators stay those of the last answer that was read.
    """
    failures = health.failures + 1
    base = max(feed.poll_every, SHORTEST_WAIT)
    grown = min(base * 2 ** min(failures - 1, _MOST_DOUBLINGS), max(base, LONGEST_WAIT)) * (1 + jitter / 10)
    return replace(
        health,
        last_status=status,
        last_try_at=now,
        next_poll_at=now + max(grown, wait or timedelta(0)),
        not_before_at=now + wait if wait else None,
        failures=failures,
        because=because,
    )


def gone(health: FeedHealth, *, now: datetime) -> FeedHealth:
    """After 410: never asked again at this address."""
    return replace(
        health,
        state=FeedState.GONE,
        last_status=410,
        last_try_at=now,
        next_poll_at=None,
        failures=health.failures + 1,
        because="its server says that it is gone for good (410)",
    )


def _after_skipped(at: datetime, skip_hours: frozenset[int]) -> datetime:
    """The instant, or the next full hour (UTC) that the feed does not ask to be spared in."""
    for _ in range(24):
        if at.hour not in skip_hours:
            return at
        at = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return at
