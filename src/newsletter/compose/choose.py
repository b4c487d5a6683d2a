"""Which candidates go into an edition, into which section, in which order, and why not the others.

Three rules, in this order. A story is shown once, from its best source: the original publisher before those who
republish, the earliest of equals; and what that source's partner allows holds for the story, since nobody who
republishes it can allow more. An item goes into the first section that takes it. Where more fit than there is room
for, partners take turns, each with its newest item, and so do sections: a partner who publishes forty items a day
cannot push out one who publishes two a week.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from newsletter.compose.rights import held_back, waits
from newsletter.compose.topics import topics_of
from newsletter.model.edition import Choice
from newsletter.model.feed import Feed
from newsletter.model.item import Entry, Item, ItemState
from newsletter.model.publication import Digest, Section

Refusal = Callable[[Entry, Feed], str | None]
"""Why a feed's filter drops an entry, or None."""

T = TypeVar("T")


def passes_all(_entry: Entry, _feed: Feed) -> str | None:
    """The filter that drops nothing."""
    return None


def wanted_feeds(digest: Digest, feeds: Mapping[str, Feed]) -> tuple[str, ...]:
    """The feeds a digest draws from: those its sections name, or all if a section names none."""
    anything = any(not section.feeds for section in digest.sections)
    return tuple(feeds) if anything else tuple(feed for feed in digest.feeds if feed in feeds)


def republished(candidates: Iterable[Item], feeds: Mapping[str, Feed]) -> frozenset[int]:
    """The stories that only republishers bring."""
    by_origin: defaultdict[bool, set[int]] = defaultdict(set)
    for item in candidates:
        by_origin[feeds[item.feed_id].original].add(item.story_id)
    return frozenset(by_origin[False] - by_origin[True])


def originals(sources: Iterable[Item], digest: Digest, feeds: Mapping[str, Feed]) -> tuple[Item, ...]:
    """Of the sources of such stories those of original publishers: they were no news when they were first read.

    Now they are, by another's hand; as candidates they stand for their stories as any original does.
    """
    wanted = wanted_feeds(digest, feeds)
    known = (item for item in sources if item.state is ItemState.KNOWN and item.feed_id in wanted)
    return tuple(item for item in known if feeds[item.feed_id].original)


def choose(
    candidates: Iterable[Item],
    digest: Digest,
    *,
    feeds: Mapping[str, Feed],
    at: datetime,
    refusal: Refusal = passes_all,
) -> tuple[Choice, ...]:
    """One choice for each candidate, newest first; those taken have a section, and within it stand in reading order."""
    newest = sorted(candidates, key=lambda item: (item.dated_at, item.id), reverse=True)
    refused = dict(_refused(newest, feeds, at=at, refusal=refusal))
    free = [item for item in newest if item.id not in refused]
    places = _places(free, digest, feeds)
    kept = frozenset(fair_share(places, by=lambda item_id: places[item_id], limit=digest.max_items))
    because = refused | {
        item.id: _no_room(item, digest, feeds, placed=item.id in places) for item in free if item.id not in kept
    }
    taken = {item_id: places[item_id] for item_id in kept}
    return tuple(_choice(item, digest, taken=taken, because=because) for item in newest)


def _refused(
    items: Sequence[Item], feeds: Mapping[str, Feed], *, at: datetime, refusal: Refusal
) -> Iterator[tuple[int, str]]:
    """(item id, why not) of those that may not be chosen now, whatever room there is."""
    unusable = {item.id: because for item in items if (because := _unusable(item))}
    yield from unusable.items()
    for best, others in _stories([item for item in items if item.id not in unusable], feeds):
        feed = feeds[best.feed_id]
        if because := refusal(best.entry, feed) or held_back(best, feed, at=at):
            yield best.id, because
        for other in others:
            yield other.id, f"the same story as item {best.id}, which is preferred: {_preference(feed)}"


def _stories(items: Sequence[Item], feeds: Mapping[str, Feed]) -> Iterator[tuple[Item, list[Item]]]:
    """The best source of each story, and the rest of its sources among the candidates."""
    told: defaultdict[int, list[Item]] = defaultdict(list)
    for item in items:
        told[item.story_id].append(item)
    for sources in told.values():
        best, *others = sorted(sources, key=lambda item: (not feeds[item.feed_id].original, item.dated_at, item.id))
        yield best, others


def _preference(feed: Feed) -> str:
    return f"{feed.partner} is the original publisher" if feed.original else f"{feed.partner} was first"


def _unusable(item: Item) -> str | None:
    if not item.entry.headline:
        return "it has no headline"
    return None if item.entry.url.startswith(("https://", "http://")) else "it has no link to its original"


def _places(items: Sequence[Item], digest: Digest, feeds: Mapping[str, Feed]) -> dict[int, int]:
    """The section of each item that a section has room for; within a section in the order of turns."""
    places: dict[int, int] = {}
    for number, section in enumerate(digest.sections):
        waiting = [item for item in items if item.id not in places and _belongs(item, section, feeds)]
        taken = fair_share(waiting, by=lambda item: feeds[item.feed_id].partner, limit=section.max_items)
        places |= {item.id: number for item in taken}
    return places


def _belongs(item: Item, section: Section, feeds: Mapping[str, Feed]) -> bool:
    if section.feeds and item.feed_id not in section.feeds:
        return False
    topics = topics_of(item, feeds[item.feed_id])
    return not section.topics or any(topic.casefold() in topics for topic in section.topics)


def fair_share(values: Iterable[T], *, by: Callable[[T], Hashable], limit: int | None) -> tuple[T, ...]:
    """At most `limit` values: those who share them take turns, each with its first one left, in order of appearance."""
    queues: dict[Hashable, deque[T]] = {}
    for value in values:
        queues.setdefault(by(value), deque()).append(value)
    turns: list[T] = []
    while queues and (limit is None or len(turns) < limit):
        turns += [queue.popleft() for queue in queues.values()]
        queues = {key: queue for key, queue in queues.items() if queue}
    return tuple(turns[:limit])


def _no_room(item: Item, digest: Digest, feeds: Mapping[str, Feed], *, placed: bool) -> str:
    if placed:
        return f"the digest is full (max_items = {digest.max_items}); it waits for the next edition"
    full = next((section for section in digest.sections if _belongs(item, section, feeds)), None)
    if full is None:
        return "no section takes it"
    return f"the section “{full.title}” is full (max_items = {full.max_items}); it waits for the next edition"


def _choice(item: Item, digest: Digest, *, taken: Mapping[int, int], because: Mapping[int, str]) -> Choice:
    place = taken.get(item.id)
    if place is None:
        return Choice(item=item, section=None, because=because[item.id])
    title = digest.sections[place].title
    return Choice(item=item, section=place, because=f"taken into “{title}”" if title else "taken")


def waiting(choices: Iterable[Choice], feeds: Mapping[str, Feed], *, at: datetime) -> int:
    """How many of those not taken are only under an embargo."""
    return sum(choice.section is None and waits(choice.item, feeds[choice.item.feed_id], at=at) for choice in choices)
