"""How long the entries of a feed's window take to be recognised in a large store.

Run: `python3 dev.py bench identity --items N --on sqlite postgresql`. On SQLite, and on the PostgreSQL that comes
with the development packages. Windows of thirty entries, of which five are new, are looked up and decided in an archive
of a million items, a tenth of which carry the same imprint; each window is another, so its pages are cold for the
database. Beside them: as many names asked for by the bare driver, a statement each.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
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
from tests.postgres import IN_SERVICE, running_server

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


# How each database spells what the archive is made of.
_SPELT = {
    "sqlite": {
        "number": "printf('%09d', value)",
        "hash": "printf('%064d', value)",
        "mark": "printf('%016x', {at}000000000000 + value)",
        "now": "'2026-11-23 07:00:00.000000'",
        "careless": ("PRAGMA synchronous = OFF", "PRAGMA foreign_keys = OFF", "PRAGMA cache_size = -1000000"),
        "asked": "SELECT item_id FROM aliases WHERE kind = ? AND scope = ? AND value = ? LIMIT 20",
    },
    "postgresql": {
        "number": "lpad(CAST(value AS text), 9, '0')",
        "hash": "lpad(CAST(value AS text), 64, '0')",
        "mark": "lpad(to_hex({at}000000000000 + value), 16, '0')",
        "now": "TIMESTAMPTZ '2026-11-23 07:00:00+00'",
        "careless": ("SET LOCAL session_replication_role = replica", "SET LOCAL synchronous_commit = off"),
        "asked": "SELECT item_id FROM aliases WHERE kind = %s AND scope = %s AND value = %s LIMIT 20",
    },
}

# An archive in the shape that keys_of gives it. What is looked up later comes into it by real polls.
_FEEDS = "INSERT INTO feeds (id, url, state, failures) SELECT 'feed-' || (value - 1), '', 'active', 0 FROM numbers"
_STORIES = "INSERT INTO stories (id, created_at) SELECT value, {now} FROM numbers"
_ITEMS = """
INSERT INTO items (id, feed_id, story_id, state, guid, url, headline, dek, byline, section_line, categories, html, text,
  direction, dated_at, content_hash, source_digest, first_seen_at, last_seen_at)
SELECT value, 'feed-' || (value % {feeds}), value, 'accepted', '', '', 'Report ' || value, '', '', '', '[]', '',
  '{text}', 'ltr', {now}, {hash}, {hash}, {now}, {now}
FROM numbers
"""
_SERIES = "WITH RECURSIVE numbers (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < {most})"
_ALIASES = "INSERT INTO aliases (kind, scope, value, item_id, strong) SELECT {chosen} FROM numbers"
_NAMES = (
    ("guid", True, True, "'https://archive.example/?p=' || {number}"),
    ("bare-guid", True, True, "'/?p=' || {number}"),
    ("post-id", True, True, "{number}"),
    ("link", True, True, "'archive.example/2026/report-from-the-strait-' || {number}"),
    ("link", False, False, "'archive.example/2026/report-from-the-strait-' || {number}"),
    ("link-path", False, False, "'/2026/report-from-the-strait-' || {number}"),
    ("title-day", False, False, "'2026-11-23 report ' || {number} || ' from the strait'"),
    *(("sketch", False, False, "{mark}".replace("mark", f"mark{at}")) for at in range(6)),
)


def statements(dialect: str, items: int) -> Iterator[str]:
    """What makes an archive of so many items, without the care that a real one takes."""
    words = {name: word for name, word in _SPELT[dialect].items() if isinstance(word, str)}
    words |= {f"mark{at}": words["mark"].format(at=at) for at in range(6)}
    facts = words | {"feeds": str(FEEDS), "text": "words " * 80, "most": str(items)}
    yield from _SPELT[dialect]["careless"]
    yield f"{_SERIES} {_FEEDS}".format_map(facts | {"most": str(FEEDS)})
    yield f"{_SERIES} {_STORIES}".format_map(facts)
    yield f"{_SERIES} {_ITEMS}".format_map(facts)
    for kind, own, strong, value in _NAMES:
        scope = "'feed-' || (value % {feeds})" if own else "''"
        chosen = f"'{kind}', {scope}, {value}, value, {strong}".format_map(facts)
        yield f"{_SERIES} {_ALIASES}".format_map(facts | {"chosen": chosen})
    for name in sketch(_IMPRINT):
        chosen = f"'sketch', '', '{name}', value, FALSE"
        yield f"{_SERIES} {_ALIASES} WHERE value % 10 = 0".format_map(facts | {"chosen": chosen})


def fill(store: Store, items: int, *, file: Path) -> None:
    if store.is_sqlite:
        base = sqlite3.connect(file, isolation_level=None)
        for statement in statements("sqlite", items):
            base.execute(statement)
        base.close()
        return
    with store.write() as connection:
        for statement in statements("postgresql", items):
            connection.exec_driver_sql(statement.replace("%", "%%"))
        # What a real archive's counters and statistics are like.
        for table in ("items", "stories"):
            connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {items})")
        connection.exec_driver_sql("ANALYZE")


def window(number: int) -> tuple[Feed, tuple[KeyedEntry, ...]]:
    feed = feed_of(number)
    first = number * WINDOW
    return feed, tuple(keyed(entry_of(feed, at), feed) for at in range(first, first + WINDOW))


def keep(store: Store, feed: Feed, entries: tuple[KeyedEntry, ...]) -> None:
    health = FeedHealth(feed_id=feed.id, url=feed.url)
    Feeds(store).record_items(health, entries, partial(decide, feed=feed, first=False), now=NOW)


def measure(store: Store) -> dict[str, list[float]]:
    asked = str(_SPELT["sqlite" if store.is_sqlite else "postgresql"]["asked"])
    spent: dict[str, list[float]] = {"looked up": [], "of which processor time": [], "decided": [], "bare": []}
    for number in range(ROUNDS):
        feed, entries = window(number)
        keys = tuple(dict.fromkeys(key for entry in entries for key in entry.keys))
        with store.read() as connection:
            # In a poll the transaction has begun by then. PostgreSQL is told of that with the first statement.
            connection.exec_driver_sql("SELECT 1")
            lookup = StoredItems(connection)
            began, busy = time.perf_counter(), time.process_time()
            lookup.by_keys(keys)
            spent["looked up"].append(time.perf_counter() - began)
            spent["of which processor time"].append(time.process_time() - busy)
            began = time.perf_counter()
            decisions = decide(lookup, entries, feed=feed, first=False)
            spent["decided"].append(time.perf_counter() - began)
            assert sum(one.verdict is Verdict.NEW for one in decisions) == NEW
            bare = connection.connection.cursor()
            began = time.perf_counter()
            for key in keys:
                bare.execute(asked, (key.kind.value, key.scope, key.value))
                bare.fetchall()
            spent["bare"].append(time.perf_counter() - began)
    return spent


def told(url: str, folder: Path, *, items: int) -> None:
    """Make the archive in an empty database, and print what looking things up in it takes."""
    with Store.open(url, site_dir=folder) as store:
        began = time.perf_counter()
        fill(store, items, file=folder / "archive.db")
        print(f"{items:,} items made in {time.perf_counter() - began:.0f} s", flush=True)
        for number in range(ROUNDS):
            feed, entries = window(number)
            keep(store, feed, entries[NEW:])
    # Opened anew: what was in the cache of who filled it would be no test.
    with Store.open(url, site_dir=folder) as store:
        for what, seconds in measure(store).items():
            each = sorted(one * 1000 for one in seconds)
            late = each[len(each) * 95 // 100]
            print(f"{what:24}{median(each):6.2f} ms median, {late:6.2f} ms for 95 of 100, {each[-1]:6.2f} ms at most")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--on", nargs="+", choices=tuple(_SPELT), default=list(_SPELT))
    given = parser.parse_args()
    for name in given.on:
        print(f"\n{name}:")
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            if name == "sqlite":
                told("sqlite:///archive.db", Path(folder), items=given.items)
                continue
            with running_server(IN_SERVICE) as server, server.bare_database() as url:
                told(url, Path(folder), items=given.items)


if __name__ == "__main__":
    main()
