"""Feeds by the host that serves them: each host is asked one thing at a time, and left alone when it says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from newsletter.collect.rhythm import SHORTEST_WAIT
from newsletter.model.feed import Feed, FeedHealth

# One feed's long Retry-After must not silence a host with thousands of feeds for a week.
_LONGEST_FOR_ALL = timedelta(hours=1)
_TOO_MANY_REQUESTS = 429


def host_of(url: str) -> str:
    """Host and port."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def by_host(feeds: Sequence[Feed], remembered: Mapping[str, FeedHealth]) -> tuple[tuple[int, ...], ...]:
    """The places of feeds in their sequence, those that one host serves together."""
    hosts: defaultdict[str, list[int]] = defaultdict(list)
    for at, feed in enumerate(feeds):
        hosts[host_of(address(feed, remembered.get(feed.id)))].append(at)
    return tuple(map(tuple, hosts.values()))


def address(feed: Feed, health: FeedHealth | None) -> str:
    """Where a feed is asked; what is remembered of another URL does not count."""
    return health.address if health and health.url == feed.url else feed.url


def spared(healths: Iterable[FeedHealth], *, force: bool = False) -> dict[str, datetime]:
    """Until when hosts want to be left alone by all feeds that they serve."""
    until: dict[str, datetime] = {}
    for health in healths:
        if at := quiet_until(health, force=force):
            host = host_of(health.address)
            until[host] = max(at, until.get(host, at))
    return until


def quiet_until(health: FeedHealth, *, force: bool = False) -> datetime | None:
    """Until when the whole host of a feed is left alone, if it said "too many requests" when asked for this one.

    It may say so without saying for how long; then `force` may ask its other feeds.
    """
    if health.last_status != _TOO_MANY_REQUESTS or health.last_try_at is None:
        return None
    if health.not_before_at is None:
        return None if force else health.last_try_at + SHORTEST_WAIT
    return min(health.not_before_at, health.last_try_at + _LONGEST_FOR_ALL)
