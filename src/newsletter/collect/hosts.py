"""Feeds by the host that serves them: each host is asked one thing at a time, and left alone when it says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from urllib.parse import urlsplit

from newsletter.collect.rhythm import SHORTEST_WAIT, minute, why_not
from newsletter.model.feed import Feed, FeedHealth

# One feed's long Retry-After must not silence a host with thousands of feeds for a week.
_LONGEST_FOR_ALL = timedelta(hours=1)
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is known before anybody is asked. Of a feed that is due nothing but its place is held: there may be many."""

    due: Collection[Sequence[int]]
    """The places of the feeds to ask, those of one host together."""
    refused: Mapping[int, str]
    """Why the feeds at these places are not asked."""
    spared: dict[str, datetime]
    """Until when hosts want to be left alone by all feeds that they serve."""


def surveyed(
    feeds: Sequence[Feed],
    healths: Iterable[FeedHealth],
    *,
    now: datetime,
    force: bool,
    pushed: Mapping[str, datetime] = MappingProxyType({}),
) -> Survey:
    """Go once through what is remembered of all feeds, those that are not to be polled included.

    `pushed` says when live hubs last pushed what is new in a feed.
    """
    wanted = {feed.id: feed for feed in feeds}
    spared: dict[str, datetime] = {}
    refused = {feed.id: why for feed in feeds if (why := why_not(feed, None, now=now, force=force))}
    addresses: dict[str, str] = {}
    for health in healths:
        spare(spared, health, force=force)
        if (feed := wanted.get(health.feed_id)) is None:
            continue
        if why := why_not(feed, health, now=now, force=force, pushed_at=pushed.get(feed.id)):
            refused[feed.id] = why
        elif (elsewhere := address(feed, health)) != feed.url:
            addresses[feed.id] = elsewhere
    due: defaultdict[str, list[int]] = defaultdict(list)
    for at, feed in enumerate(feeds):
        if feed.id not in refused:
            due[host_of(addresses.get(feed.id, feed.url))].append(at)
    whys = {at: refused[feed.id] for at, feed in enumerate(feeds) if feed.id in refused}
    return Survey(due=tuple(due.values()), refused=whys, spared=spared)


def host_of(url: str) -> str:
    """Host and port."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def address(feed: Feed, health: FeedHealth) -> str:
    """Where a feed is asked; what is remembered of another URL does not count."""
    return health.address if health.url == feed.url else feed.url


def left_alone_until(
    feed: Feed, health: FeedHealth | None, spared: Mapping[str, datetime], *, now: datetime
) -> datetime | None:
    """Until when a feed is not asked for its host's sake, or None."""
    until = spared.get(_host(feed, health))
    return until if until and now < until else None


def left_alone(feed: Feed, health: FeedHealth | None, until: datetime) -> str:
    """In words that a feed is not asked for its host's sake."""
    host = _host(feed, health)
    return f"{host} said of another feed that it is asked too often: not before {minute(until)}"


def _host(feed: Feed, health: FeedHealth | None) -> str:
    return host_of(address(feed, health) if health else feed.url)


def all_spared(healths: Iterable[FeedHealth], *, force: bool = False) -> dict[str, datetime]:
    """Until when hosts want to be left alone by all feeds that they serve, past times included."""
    spared: dict[str, datetime] = {}
    for health in healths:
        spare(spared, health, force=force)
    return spared


def spare(spared: dict[str, datetime], health: FeedHealth, *, force: bool) -> None:
    """Add the host of a feed that said so to those that are left alone."""
    if until := _quiet_until(health, force=force):
        host = host_of(health.address)
        spared[host] = max(until, spared.get(host, until))


def _quiet_until(health: FeedHealth, *, force: bool) -> datetime | None:
    """Until when the whole host of a feed is left alone, if it said "too many requests" when asked for this one.

    It may say so without saying for how long; then `force` may ask its other feeds.
    """
    if health.last_status != _TOO_MANY_REQUESTS or health.last_try_at is None:
        return None
    if health.not_before_at is None:
        return None if force else health.last_try_at + SHORTEST_WAIT
    return min(health.not_before_at, health.last_try_at + _LONGEST_FOR_ALL)
