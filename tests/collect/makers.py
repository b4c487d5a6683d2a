"""Values for tests of this room, and a small memory that answers as the store does."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from newsletter.collect.body import Body, ParsedFeed
from newsletter.collect.entry import content_hash
from newsletter.collect.identity import decide
from newsletter.collect.keys import keyed
from newsletter.collect.read import read
from newsletter.model.feed import Feed
from newsletter.model.identity import Decision, Verdict
from newsletter.model.item import Entry, Item, Key

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
DATA = Path(__file__).parent / "data"


def a_feed(feed_id: str = "courier", **settings: Any) -> Feed:
    return Feed(**{"id": feed_id, "url": f"https://{feed_id}.example/feed/", "partner": feed_id.title()} | settings)


def an_entry(**fields: Any) -> Entry:
    """An entry; its guid and link follow from its headline unless given."""
    headline = fields.get("headline", "A dam learns to let go")
    slug = "-".join(headline.lower().split())
    known = {
        "guid": f"https://courier.example/{slug}",
        "url": f"https://courier.example/2026/{slug}",
        "headline": headline,
        "text": "",
        "published_at": NOW - timedelta(hours=5),
    }
    entry = Entry(**known | fields)
    return replace(entry, content_hash=content_hash(entry.headline, entry.dek, entry.text))


def read_file(name: str, feed: Feed | None = None) -> ParsedFeed:
    """One of the sample feeds, read as the first poll reads it."""
    return read_bytes((DATA / name).read_bytes(), feed)


def read_bytes(content: bytes, feed: Feed | None = None, *, content_type: str = "") -> ParsedFeed:
    feed = feed or a_feed()
    body = Body(feed=feed, content=content, url=feed.url, content_type=content_type)
    return read(body, lambda _: frozenset(), now=NOW)


def rss(*items: str, head: str = "", channel: str = "") -> bytes:
    """A document with these items."""
    text = f'<?xml version="1.0"?>{head}<rss version="2.0"><channel><title>Sample</title>{channel}{"".join(items)}</channel></rss>'
    return text.encode("utf-8", "surrogatepass")


def item(
    title: str = "A headline of some length", *, body: str = "Some words.", name: str = "one-two-three", more: str = ""
) -> str:
    return (
        f"<item><title>{title}</title><link>https://courier.example/{name}</link><guid>{name}</guid>"
        f"<description><![CDATA[{body}]]></description>{more}</item>"
    )


@dataclass
class Memory:
    """Items and their names, kept as the store keeps them."""

    items_by_id: dict[int, Item] = field(default_factory=dict)
    names: dict[Key, list[int]] = field(default_factory=dict)
    stories: int = 0
    parted_from: dict[int, frozenset[int]] = field(default_factory=dict)
    held: frozenset[str] = frozenset()

    def by_keys(self, keys: tuple[Key, ...]) -> Mapping[Key, tuple[int, ...]]:
        return {key: tuple(found) for key in keys if (found := self.names.get(replace(key, strong=False), []))}

    def items(self, ids: tuple[int, ...]) -> Mapping[int, Item]:
        return {item_id: self.items_by_id[item_id] for item_id in ids if item_id in self.items_by_id}

    def parted(self, ids: tuple[int, ...]) -> Mapping[int, frozenset[int]]:
        return {item_id: self.parted_from[item_id] for item_id in ids if item_id in self.parted_from}

    def split(self, item_id: int, *, story: int) -> None:
        """Let an item tell a story of its own, as an operator does."""
        self.stories += 1
        self.items_by_id[item_id] = replace(self.items_by_id[item_id], story_id=self.stories)
        self.parted_from[item_id] = frozenset({story})

    def is_held(self, feed_id: str) -> bool:
        return feed_id in self.held

    def latest(self, feed_id: str, *, limit: int) -> tuple[Item, ...]:
        own = [item for item in self.items_by_id.values() if item.feed_id == feed_id]
        return tuple(sorted(own, key=lambda item: (item.dated_at, item.id), reverse=True)[:limit])

    def poll(self, feed: Feed, *entries: Entry, first: bool = False) -> tuple[Decision, ...]:
        """Decide about a document and keep what was decided."""
        decisions = decide(self, tuple(keyed(entry, feed) for entry in entries), feed=feed, first=first)
        for decision in decisions:
            self._keep(decision, feed)
        return decisions

    def _keep(self, decision: Decision, feed: Feed) -> None:
        item_id = decision.item_id or len(self.items_by_id) + 1
        if decision.verdict is Verdict.NEW:
            self.stories += decision.story_id is None
            self.items_by_id[item_id] = Item(
                id=item_id,
                feed_id=feed.id,
                story_id=decision.story_id or self.stories,
                state=decision.state,
                entry=decision.keyed.entry,
                first_seen_at=NOW,
            )
        else:
            self.items_by_id[item_id] = replace(self.items_by_id[item_id], entry=decision.keyed.entry)
        for key in decision.keyed.keys:
            owners = self.names.setdefault(replace(key, strong=False), [])
            if item_id not in owners:
                owners.append(item_id)
