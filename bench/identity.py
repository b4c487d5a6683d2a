"""How long the entries of a feed's window take to be recognised in a large store.

Run: `python bench/identity.py [items]`. Windows of thirty entries, of which five are new, are looked up and decided in
an archive of a million items, a tenth of which carry the same imprint; medians over different windows. Beside them: as
many names asked for in bare sqlite3, a statement each.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

from newsletter.collect.entry import content_hash
from newsletter.collect.identity import decide
from newsletter.collect.keys import keyed
from newsletter.collect.sketch import sketch
from newsletter.model.feed import Feed, FeedHealth
from newsletter.model.identity import KeyedEntry, Verdict
from newsletter.model.item import Entry
from newsletter.store.engine import Store
from newsletter.store.feeds import Feeds
from newsletter.store.lookup import StoredItems

ITEMS = 1_000_000
FEEDS = 500
WINDOW = 30
NEW = 5
ROUNDS = 41
NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
_WORDS = (
    "harbour pilot strait chart winter council railway budget island lamp keeper ferry tide school roof vote".split()
)
_IMPRINT = (
    "The Strait Review is published by an association of its readers, who elect its editors every second winter and "
    "who may be reached by letter at the old customs house. Reprints are welcome if they name the author."
)


def feed_of(number: int) -> Feed:
    name = f"feed-{number % FEEDS}"
    return Feed(id=name, url=f"https://{name}.example/feed/", partner=name)


def entry_of(feed: Feed, number: int) -> Entry:
    """An article of some 300 words; every third ends with the imprint."""
    luck = random.Random(number)
    text = "\n\n".join(
        " ".join(luck.choice(_WORDS) + str(luck.randrange(40)) for _ in range(60)) + "." for _ in range(5)
    )
    text = f"{text}\n\n{_IMPRINT}" if number % 3 == 0 else text
    headline = f"Report {number} from the strait"
    site = f"https://{feed.id}.example"
    return Entry(
        guid=f"{site}/?p={number}",
        url=f"{site}/2026/report-from-the-strait-{number}/",
        headline=headline,
        text=text,
        published_at=NOW - timedelta(minutes=number % 500_000),
        content_hash=content_hash(headline, "", text),
    )


# An archive in the shape that keys_of gives it. What is looked up later comes into it by real polls.
_FEEDS = "INSERT INTO feeds (id, url, state, failures) SELECT 'feed-' || value, '', 'active', 0 FROM generate_series"
_STORIES = "INSERT INTO stories (id, created_at) SELECT value, :now FROM generate_series"
_ITEMS = """
INSERT INTO items (id, feed_id, story_id, state, guid, url, headline, dek, byline, section_line, categories, html, text,
  direction, dated_at, content_hash, source_digest, first_seen_at, last_seen_at)
SELECT value, 'feed-' || (value % :feeds), value, 'accepted', '', '', 'Report ' || value, '', '', '', '[]', '', :text,
  'ltr', :now, printf('%064d', value), printf('%064d', value), :now, :now
FROM generate_series
"""
_SERIES = (
    "WITH RECURSIVE generate_series (value) AS "
    "(SELECT 1 UNION ALL SELECT value + 1 FROM generate_series WHERE value < :most)"
)
_NAMES = (
    ("guid", True, True, "'https://archive.example/?p=' || printf('%09d', value)"),
    ("bare-guid", True, True, "'/?p=' || printf('%09d', value)"),
    ("post-id", True, True, "printf('%09d', value)"),
    ("link", True, True, "'archive.example/2026/report-from-the-strait-' || printf('%09d', value)"),
    ("link", False, False, "'archive.example/2026/report-from-the-strait-' || printf('%09d', value)"),
    ("link-path", False, False, "'/2026/report-from-the-strait-' || printf('%09d', value)"),
    ("title-day", False, False, "'2026-11-23 report ' || printf('%09d', value) || ' from the strait'"),
    *(("sketch", False, False, f"printf('%016x', {at}000000000000 + value)") for at in range(6)),
)


def fill(path: Path, items: int) -> None:
    """An archive of so many items, written without the care a real one takes."""
    facts = {"most": items, "feeds": FEEDS, "now": "2026-11-23 07:00:00.000000", "text": "words " * 80}
    base = sqlite3.connect(path)
    base.executescript("PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF; PRAGMA cache_size=-2000000")
    with base:
        base.execute(f"{_SERIES} {_FEEDS}", facts | {"most": FEEDS})
        base.execute(f"{_SERIES} {_STORIES}", facts)
        base.execute(f"{_SERIES} {_ITEMS}", facts)
        for kind, own, strong, value in _NAMES:
            scope = "'feed-' || (value % :feeds)" if own else "''"
            chosen = f"SELECT '{kind}', {scope}, {value}, value, {strong} FROM generate_series"
            base.execute(f"{_SERIES} INSERT INTO aliases (kind, scope, value, item_id, strong) {chosen}", facts)
        for name in sketch(_IMPRINT):
            chosen = f"SELECT 'sketch', '', '{name}', value, FALSE FROM generate_series WHERE value % 10 = 0"
            base.execute(f"{_SERIES} INSERT INTO aliases (kind, scope, value, item_id, strong) {chosen}", facts)
    base.close()


def window(number: int) -> tuple[Feed, tuple[KeyedEntry, ...]]:
    feed = feed_of(number)
    first = number * WINDOW
    return feed, tuple(keyed(entry_of(feed, at), feed) for at in range(first, first + WINDOW))


def keep(store: Store, feed: Feed, entries: tuple[KeyedEntry, ...]) -> None:
    health = FeedHealth(feed_id=feed.id, url=feed.url)
    Feeds(store).record_items(health, entries, partial(decide, feed=feed, first=False), now=NOW)


def measure(store: Store, path: Path) -> dict[str, list[float]]:
    bare = sqlite3.connect(path)
    spent: dict[str, list[float]] = {"looked up": [], "decided": [], "bare": []}
    for number in range(ROUNDS):
        feed, entries = window(number)
        keys = tuple(dict.fromkeys(key for entry in entries for key in entry.keys))
        with store.read() as connection:
            lookup = StoredItems(connection)
            began = time.perf_counter()
            lookup.by_keys(keys)
            spent["looked up"].append(time.perf_counter() - began)
            began = time.perf_counter()
            decisions = decide(lookup, entries, feed=feed, first=False)
            spent["decided"].append(time.perf_counter() - began)
        assert sum(one.verdict is Verdict.NEW for one in decisions) == NEW
        began = time.perf_counter()
        for key in keys:
            asked = "SELECT item_id FROM aliases WHERE kind = ? AND scope = ? AND value = ? LIMIT 20"
            bare.execute(asked, (key.kind.value, key.scope, key.value)).fetchall()
        spent["bare"].append(time.perf_counter() - began)
    return spent


def main() -> None:
    items = int(sys.argv[1]) if len(sys.argv) > 1 else ITEMS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "archive.db"
        Store.open(f"sqlite:///{path}", site_dir=Path(folder)).close()
        began = time.perf_counter()
        fill(path, items)
        print(f"{items:,} items made in {time.perf_counter() - began:.0f} s, {path.stat().st_size / 1e9:.1f} GB")
        with Store.open(f"sqlite:///{path}", site_dir=Path(folder)) as store:
            for number in range(ROUNDS):
                feed, entries = window(number)
                keep(store, feed, entries[NEW:])
            for what, seconds in measure(store, path).items():
                print(f"{what}: {median(seconds) * 1000:.2f} ms median, {max(seconds) * 1000:.2f} ms at most")


if __name__ == "__main__":
    main()
