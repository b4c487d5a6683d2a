"""When a feed is asked, and what is remembered of how it answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from newsletter.collect.habits import without_move_that_fails
from newsletter.model.feed import Feed, FeedHealth, FeedState, Habits, Validators

SHORTEST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=24)
# A feed that rarely brings anything is asked this much more seldom than its editor wants, not more: news may come.
_MOST_STRETCHED = 4
# Asked twice in the time in which a window fills, nothing of it is missed.
_SHARE_OF_WINDOW = 2
_FEWEST_ENTRIES = 5
_MOST_DOUBLINGS = 12
_MOST_SLOWED = 4
_WEEK_HOURS = 7 * 24
TOO_BUSY = frozenset({429, 503})


def why_not(
    feed: Feed, health: FeedHealth | None, *, now: datetime, force: bool, pushed_at: datetime | None = None
) -> str | None:
    """Why a feed is not asked now, or None if it is due.

    `force` asks one that is not due yet, but not one that said it is gone, nor one whose server wants to be left alone.
    One whose hub pushes what is new, last at `pushed_at`, is asked once a day, to be sure; unless asking it found more.
    """
    if not feed.enabled:
        return "switched off in its settings"
    if health is None or health.url != feed.url:
        return None
    backed_up = None if force or pushed_at is None else _backed_up(feed, health, now, pushed_at)
    return backed_up or _why_not(health, now, force=force)


def _backed_up(feed: Feed, health: FeedHealth, now: datetime, pushed_at: datetime) -> str | None:
    if health.habits.unpushed_at is not None and health.habits.unpushed_at >= pushed_at:
        return None
    if health.last_success_at is None or health.failures or _from_the_future(health, now):
        return None
    at = health.last_success_at + max(feed.poll_every, LONGEST_WAIT)
    return f"not due before {minute(at)}: until then its hub tells what is new" if now < at else None


def _why_not(health: FeedHealth, now: datetime, *, force: bool) -> str | None:
    if health.state is FeedState.GONE:
        return "its server said that it is gone for good (410): change its url or remove it"
    if _from_the_future(health, now):
        return None
    if health.not_before_at and now < health.not_before_at:
        return f"its server asked not to be asked before {minute(health.not_before_at)}"
    return None if force else _not_yet(health, now)


def _not_yet(health: FeedHealth, now: datetime) -> str | None:
    if health.next_poll_at and now < health.next_poll_at:
        return f"not due before {minute(health.next_poll_at)}"
    if (at := _after_spared(now, health.habits)) > now:
        return f"it asked to be spared at this time (skipHours, skipDays), until {minute(at)}"
    return None


def _from_the_future(health: FeedHealth, now: datetime) -> bool:
    """Whether what we remember was written by a clock that was far ahead: then its dates say nothing.

    A day of doubt is left, so that two machines whose clocks differ do not ask in turns.
    """
    return health.last_try_at is not None and health.last_try_at > now + LONGEST_WAIT


def minute(at: datetime) -> str:
    """An instant for people."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def asked_anew(feed: Feed, health: FeedHealth) -> FeedHealth:
    """The health of a feed that is about to be asked: nothing that an old address told is believed at a new one.

    An operator who writes down where the feed was found to have moved to changes nothing.
    """
    if health.url == feed.url:
        return health
    if health.address == feed.url:
        return replace(health, url=feed.url, habits=replace(health.habits, move=None))
    kept = health.state in {FeedState.NEW, FeedState.HELD}
    return FeedHealth(
        feed_id=feed.id,
        url=feed.url,
        state=health.state if kept else FeedState.ACTIVE,
        last_success_at=health.last_success_at,
        fence=health.fence,
    )


def wait(feed: Feed, habits: Habits, *, lifetime: timedelta | None, now: datetime) -> timedelta:
    """How long a feed that answered may be left alone: `poll_every`, or longer by its own word or by experience.

    Its word (`lifetime`, from the headers, and what its document says) counts up to a day. However long that is, it
    is asked twice before its window is likely to have been filled with other entries.
    """
    base = feed.poll_every
    longest = max(base, LONGEST_WAIT)
    wishes = (lifetime, habits.lasts, min(_seldom(habits, now), _MOST_STRETCHED * base))
    wanted = min(max([base, *(wish for wish in wishes if wish)]), longest)
    if habits.pace is not None and habits.window >= _FEWEST_ENTRIES:
        wanted = max(base, min(wanted, habits.pace * habits.window / _SHARE_OF_WINDOW))
    return min(wanted * (1 << habits.slowed), longest)


def _seldom(habits: Habits, now: datetime) -> timedelta:
    """Half the usual time between two entries; a feed that fell silent is believed to have become slower."""
    if habits.pace is None:
        return timedelta(0)
    silent = now - habits.news_at if habits.news_at else timedelta(0)
    return max(habits.pace, silent / 4) / 2


def succeeded(
    feed: Feed,
    health: FeedHealth,
    *,
    status: int,
    validators: Validators,
    body_hash: str | None,
    now: datetime,
    jitter: float,
    habits: Habits | None = None,
    lifetime: timedelta | None = None,
) -> FeedHealth:
    """After an answer that was read or needed no reading. `jitter`, in [0, 1), lengthens the wait by up to a tenth.

    A feed that is asked for the first time, or again after we were away, may wait up to twice as long: they all come
    at once then, and must not do so for ever.
    """
    known = habits or health.habits
    calmer = replace(known, slowed=known.slowed - 1) if known.slowed else known
    rest = wait(feed, known, lifetime=lifetime, now=now)
    overdue = health.next_poll_at is None or now - health.next_poll_at > rest
    spread = rest * jitter * (1 if overdue else 0.1)
    return replace(
        health,
        state=FeedState.ACTIVE if health.state is FeedState.NEW else health.state,
        validators=validators,
        body_hash=body_hash,
        last_status=status,
        last_try_at=now,
        last_success_at=now,
        next_poll_at=_after_spared(now + rest + spread, calmer),
        not_before_at=None,
        failures=0,
        because=None,
        habits=calmer,
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

    `wait` is the server's Retry-After. Validators stay those of the last answer that was read. A feed whose server
    says that it is too busy is asked more seldom for a while, also when it is well again.
    """
    failures = health.failures + 1
    base = max(feed.poll_every, SHORTEST_WAIT)
    grown = min(base * 2 ** min(failures - 1, _MOST_DOUBLINGS), max(base, LONGEST_WAIT)) * (1 + jitter / 10)
    slowed = min(health.habits.slowed + (status in TOO_BUSY), _MOST_SLOWED)
    return replace(
        health,
        last_status=status,
        last_try_at=now,
        next_poll_at=now + max(grown, wait or timedelta(0)),
        not_before_at=now + wait if wait else None,
        failures=failures,
        because=because,
        habits=without_move_that_fails(replace(health.habits, slowed=slowed), failures),
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


def _after_spared(at: datetime, habits: Habits) -> datetime:
    """The instant, or the next one at the same minute in an hour and on a day (UTC) that the feed does not exclude."""
    if not habits.skip_hours and not habits.skip_days:
        return at
    for hours in range(_WEEK_HOURS):
        later = at + timedelta(hours=hours)
        if later.hour not in habits.skip_hours and later.weekday() not in habits.skip_days:
            return later
    return at
