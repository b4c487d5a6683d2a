"""How a feed is doing, for scripts and in words for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from newsletter.cli.output import printable

if TYPE_CHECKING:
    from newsletter.model.feed import Feed, FeedHealth, FeedState
    from newsletter.model.hub import HubSubscription

_NONE: Mapping[str, datetime] = MappingProxyType({})
_NOTED_FOR = timedelta(days=30)


def by_feed(hubs: Iterable[HubSubscription]) -> dict[str, HubSubscription]:
    """What feeds have agreed with their hubs; what is being left only where there is nothing else."""
    from newsletter.model.hub import HubState

    return {one.feed_id: one for one in sorted(hubs, key=lambda one: one.state is not HubState.LEAVING)}


def document(
    feed: Feed,
    health: FeedHealth | None,
    hub: HubSubscription | None,
    *,
    now: datetime,
    spared: Mapping[str, datetime] = _NONE,
) -> dict[str, Any]:
    """A feed's health in the shape that scripts read. `next` says in words what happens next.

    `spared` says until when hosts are left alone.
    """
    names = ("last_try_at", "last_success_at", "next_poll_at", "failures", "last_status", "not_before_at")
    told = {name: getattr(health, name) for name in names} if health else dict.fromkeys(names) | {"failures": 0}
    told["because"] = health.wrong if health else None
    return {
        "feed": feed.id,
        "url": feed.url,
        "state": _state(feed, health),
        **told,
        "next": _next(feed, health, hub, now, spared),
        "moved_to": health.address if health and health.address != health.url else None,
        "gap_at": health.habits.gap_at if health else None,
        "hub": _hub_document(hub) if hub else None,
    }


def _hub_document(hub: HubSubscription) -> dict[str, Any]:
    return {name: getattr(hub, name) for name in ("hub", "topic", "state", "leased_until", "pushed_at", "because")}


def row(
    feed: Feed, health: FeedHealth | None, *, now: datetime, spared: Mapping[str, datetime] = _NONE
) -> tuple[object, ...]:
    """A feed's line in the list of all."""
    from newsletter.collect.hosts import left_alone_until

    state = _state(feed, health)
    alone_until = left_alone_until(feed, health, spared, now=now)
    if health is None:
        return (feed.id, state, "never", "never", _at(alone_until) if alone_until else "due", 0, "")
    # It may have been passed over, for its host's sake, before it was ever asked.
    waits = health.last_try_at is None and alone_until is None
    next_at = max(filter(None, (health.next_poll_at, alone_until)), default=None)
    times = (_at(health.last_try_at), _at(health.last_success_at), "due" if waits else _at(next_at))
    return (feed.id, state, *times, health.failures, health.wrong or "")


HEADERS = ("FEED", "STATE", "LAST TRY", "LAST SUCCESS", "NEXT POLL", "FAILURES", "BECAUSE")


def lines(
    feed: Feed,
    health: FeedHealth | None,
    hub: HubSubscription | None,
    *,
    now: datetime,
    spared: Mapping[str, datetime] = _NONE,
) -> Iterator[str]:
    """A feed's health in words: last try, last success, what is wrong, what happens next."""
    yield f"{feed.id}: {feed.partner}, {feed.url}"
    if health is None:
        yield "last try: never"
    else:
        status = f", its server answered {health.last_status}" if health.last_status else ""
        yield f"last try: {_when(health.last_try_at, now)}{status if health.last_try_at else ''}"
        yield f"last success: {_when(health.last_success_at, now)}"
        yield from _wrong(health, now)
    if hub:
        yield f"hub: {_hub(hub, now)}"
    yield f"next: {_next(feed, health, hub, now, spared)}"


def _state(feed: Feed, health: FeedHealth | None) -> FeedState:
    """What the store remembers, unless the settings switched the feed off or it was never asked."""
    from newsletter.model.feed import FeedState

    if not feed.enabled:
        return FeedState.DISABLED
    return health.state if health else FeedState.NEW


def _wrong(health: FeedHealth, now: datetime) -> Iterator[str]:
    times = f" ({health.failures} times in a row)" if health.failures > 1 else ""
    yield f"wrong: {printable(health.wrong) + times if health.wrong else 'nothing'}"
    habits = health.habits
    if habits.gap_at and habits.gap_at > now - _NOTED_FOR:
        yield f"gap: on {_at(habits.gap_at)} nothing of its last list was left; items may have been missed before"
    if habits.move:
        yield f"moved: {_moved(health)}"


def _moved(health: FeedHealth) -> str:
    move = health.habits.move
    assert move is not None
    where = printable(move.to)
    if move.followed:
        return f"to {where} for good, where it is asked now: write that into feeds/{health.feed_id}.toml"
    return f"since {_at(move.since_at)} it says that it has moved to {where}; that is believed after some days"


def _hub(hub: HubSubscription, now: datetime) -> str:
    from newsletter.model.hub import HubState

    wrong = f"; {printable(hub.because)}" if hub.because else ""
    host = printable(urlsplit(hub.hub).hostname or "")
    if hub.is_live(now):
        nothing = "" if wrong else "; it has pushed nothing yet"
        pushed = f"; last pushed {_when(hub.pushed_at, now)}" if hub.pushed_at else nothing
        return f"{host} has promised to push what is new until {_at(hub.leased_until)}{pushed}{wrong}"
    told = {
        HubState.REFUSED: f"{host} does not push, and is asked again after {_at(hub.next_at)}",
        HubState.LEAVING: f"{host} was asked to push no more",
    }
    waits = f"{host} was asked to push what is new and has not confirmed it; asked again after {_at(hub.next_at)}"
    return f"{told.get(hub.state, waits)}{wrong}"


def _next(
    feed: Feed,
    health: FeedHealth | None,
    hub: HubSubscription | None,
    now: datetime,
    spared: Mapping[str, datetime],
) -> str:
    from newsletter.collect.hosts import left_alone, left_alone_until
    from newsletter.collect.hubs import pushing
    from newsletter.collect.rhythm import why_not
    from newsletter.model.feed import FeedState

    pushed = pushing((hub,) if hub else (), now=now)
    why = why_not(feed, health, now=now, force=False, pushed_at=pushed.get(feed.id))
    until = left_alone_until(feed, health, spared, now=now)
    its_own = health.next_poll_at if health else None
    if until and (why is None or (why.startswith("not due before ") and its_own and its_own < until)):
        why = left_alone(feed, health, until)
    told = f"not asked: {why}" if why else "it is due, and asked by the next poll"
    if why and why.startswith("not due before "):
        told = f"asked by the first poll after {why.removeprefix('not due before ')}"
    if health and health.state is FeedState.HELD:
        told += f"; what is held waits for `newsletter feeds release {feed.id}`"
    return told


def _when(at: datetime | None, now: datetime) -> str:
    return f"{_at(at)}, {_ago(now - at)}" if at else "never"


def _at(at: datetime | None) -> str:
    from newsletter.collect.rhythm import minute

    return minute(at) if at else "never"


def _ago(passed: timedelta) -> str:
    minutes = round(passed.total_seconds() / 60)
    for size, name in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if abs(minutes) >= size:
            many = abs(minutes) // size
            return f"{many} {name}{'s' if many > 1 else ''} {'ago' if minutes > 0 else 'ahead of the clock'}"
    return "just now"
