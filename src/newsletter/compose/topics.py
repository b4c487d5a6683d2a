"""What items are about, and what readers may choose from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from newsletter.model.feed import Feed
from newsletter.model.item import Item
from newsletter.model.publication import Digest


def topics_of(item: Item, feed: Feed) -> frozenset[str]:
    """The topics of an item, without case: its own categories, and what its feed is about."""
    return frozenset(topic.casefold() for topic in (*feed.topics, *item.entry.categories))


def topics_offered(digests: Iterable[Digest], feeds: Mapping[str, Feed]) -> tuple[str, ...]:
    """The topics that readers of these digests may choose, in the spelling and order of the settings: what the digests'
    sections and feeds are said to be about. Categories that only items name are too many and too wild to choose from.
    """
    found: dict[str, str] = {}
    for digest in digests:
        for section in digest.sections:
            names = section.feeds or tuple(feeds)
            of_feeds = (topic for name in names if name in feeds for topic in feeds[name].topics)
            for topic in (*section.topics, *of_feeds):
                found.setdefault(topic.casefold(), topic)
    return tuple(found.values())
