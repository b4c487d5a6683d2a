"""What reading a changed document costs, beside feedparser with its defaults; and what a second process brings.

Run: `python bench/poll.py`. The document has thirty items of which two are new: "parsed" is what feedparser does with a
whole one, "cleaned" also makes items of the entries: safe, labelled, with all names. Processes read documents in which
all is new, as many at once as there are processes. Medians of several rounds, in turn.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median

import _partners as partners
import feedparser

from newsletter import log
from newsletter.collect.body import Body
from newsletter.collect.entry import salt
from newsletter.collect.parse import parse
from newsletter.collect.read import read, read_if_small
from newsletter.collect.sidepass import scan
from newsletter.collect.worker import Parser
from newsletter.model.feed import Feed

ROUNDS = 20
WAVES = 6
NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
FEED = Feed(id="bench", url="https://bench.example/feed/", partner="Bench")


def body_of(content: bytes) -> Body:
    return Body(feed=FEED, content=content, url=FEED.url)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def readings() -> None:
    before, after = partners.document(range(partners.NEWS, 32)), partners.document(range(partners.WINDOW))
    known = frozenset(
        keyed.entry.source_digest for keyed in read(body_of(before), lambda _: frozenset(), now=NOW).entries
    )

    def cut() -> object:
        tree = scan(after, base=FEED.url, salt=salt(FEED))
        assert tree is not None
        return parse(tree.without(known), base=FEED.url)

    ways: dict[str, Callable[[], object]] = {
        "feedparser, its defaults": lambda: feedparser.parse(io.BytesIO(after)),
        "two new of thirty, parsed": cut,
        "two new of thirty, cleaned": lambda: read_if_small(
            body_of(after), lambda digests: known & frozenset(digests), now=NOW
        ),
        "thirty new, cleaned": lambda: read(body_of(after), lambda _: frozenset(), now=NOW),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, work in ways.items():
            took[name].append(timed(work))
    reference = median(took["feedparser, its defaults"])
    print(f"a document of {len(after) // 1024} KB:")
    for name, times in took.items():
        print(f"  {name:26}{median(times) * 1000:7.1f} ms, {reference / median(times):5.1f} x")


async def by_processes() -> None:
    body = body_of(partners.document(range(partners.WINDOW)))
    rates, own = dict[int, list[float]](), list[float]()
    async with Parser(processes=1, here=timedelta(0)) as one, Parser(processes=2, here=timedelta(0)) as two:
        parsers = {1: one, 2: two}
        for parser, many in ((one, 1), (two, 2)):
            await _read(parser, body, many)
        for _ in range(ROUNDS // 4):
            for processes, parser in parsers.items():
                began, busy = time.perf_counter(), time.process_time()
                await _read(parser, body, processes * WAVES)
                rates.setdefault(processes, []).append(processes * WAVES / (time.perf_counter() - began))
                own.append((time.process_time() - busy) / (processes * WAVES))
    for processes, each in rates.items():
        documents = median(each)
        print(f"reading processes: {processes}, {documents:5.1f} documents/s, {documents / median(rates[1]):4.2f} x")
    print(f"  of which the process that asks them is busy for {median(own) * 1000:.1f} ms a document")


async def _read(parser: Parser, body: Body, documents: int) -> None:
    await asyncio.gather(*(parser.parse(body, lambda _: frozenset(), now=NOW) for _ in range(documents)))


def main() -> None:
    log.configure("error")
    readings()
    asyncio.run(by_processes())


if __name__ == "__main__":
    main()
