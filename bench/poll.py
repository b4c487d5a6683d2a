"""What a poll costs, beside the least that could be done: a bare asyncio client, and feedparser with its defaults.

Run: `python bench/poll.py [feeds]`, 10,000 for the whole, 500 for a quick look. A sweep asks each feed at a loopback
address of its own, from a server in another process; all answer 304; it runs in a process that does nothing else, whose
memory is told. A changed document has thirty items of which two are new: "parsed" is what feedparser does with a whole
one, "cleaned" also makes items of the entries: safe, labelled, with all names. Medians of several rounds, in turn.
"""

from __future__ import annotations

import asyncio
import io
import random
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import feedparser

from newsletter import log
from newsletter.collect.body import Body
from newsletter.collect.entry import salt
from newsletter.collect.http import Fetcher
from newsletter.collect.parse import parse
from newsletter.collect.poll import poll
from newsletter.collect.read import read, read_if_small
from newsletter.collect.sidepass import scan
from newsletter.collect.worker import Parser
from newsletter.model.clock import SystemClock
from newsletter.model.feed import Feed, FeedHealth, FeedState, Habits, Validators
from newsletter.model.settings import Collect
from newsletter.store.engine import Store
from newsletter.store.feeds import Feeds

ROUNDS = 5
FIRST = 20
AT_ONCE = 16
NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
ETAG = '"bench-1"'
_WORDS = (
    "the pilots of the strait say that the chart is older than the harbour and the harbour older than its debts".split()
)


def document(numbers: Iterable[int]) -> bytes:
    """A feed in WordPress' shape with an article of some 300 words under each number, no two alike."""
    items = "".join(
        f"<item><title>Report {at} from the strait</title><link>https://bench.example/2026/report-from-the-strait-{at}/</link>"
        f"<dc:creator>Ilse Okonedo</dc:creator><pubDate>Mon, 23 Nov 2026 0{at % 7}:00:00 +0000</pubDate>"
        f'<category>Ports</category><guid isPermaLink="false">https://bench.example/?p={at}</guid>'
        f"<description><![CDATA[<p>A dek about report {at}.</p>]]></description>"
        f"<content:encoded><![CDATA[{_article(at)}]]></content:encoded></item>"
        for at in numbers
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Bench</title>'
        f"<link>https://bench.example</link><language>en</language>{items}</channel></rss>"
    ).encode()


def _article(number: int) -> str:
    luck = random.Random(number)
    paragraphs = (" ".join(f"{word}{luck.randrange(50)}" for word in _WORDS) for _ in range(14))
    return "".join(f"<p>{text} <em>{number}</em>, and <a href='/charts/{number}'>so on</a>.</p>" for text in paragraphs)


async def serve() -> None:
    """Answer 304 to whoever has our version, else a feed; tell the port on standard output."""
    same = f"HTTP/1.1 304 Not Modified\r\nETag: {ETAG}\r\nConnection: close\r\n\r\n".encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        writer.write(same if ETAG.encode() in asked else _fresh(asked))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "0.0.0.0", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


def _fresh(asked: bytes) -> bytes:
    """A document of its own for each host."""
    start = zlib.crc32(asked.partition(b"Host: ")[2].partition(b"\r\n")[0]) * 100
    body = document(range(start, start + 30))
    return (
        f"HTTP/1.1 200 OK\r\nETag: {ETAG}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
    )


async def bare(urls: list[tuple[str, int]]) -> float:
    """Seconds for the same conditional requests by nothing but sockets."""
    waiting = iter(urls)

    async def some() -> None:
        for host, port in waiting:
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(
                f"GET /feed HTTP/1.1\r\nHost: {host}\r\nIf-None-Match: {ETAG}\r\nConnection: close\r\n\r\n".encode()
            )
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 304")
            writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return time.perf_counter() - began


async def sweep(feeds: list[Feed], store: Feeds, *, status: int) -> float:
    """Seconds for a poll of all feeds."""
    settings = Collect(user_agent_contact="https://bench.example", allow_private_hosts=("127.0.0.0/8",))
    async with Fetcher(settings) as fetcher, Parser() as parser:
        began = time.perf_counter()
        reports = await poll(
            feeds, store=store, fetcher=fetcher, parser=parser, clock=SystemClock(), force=True, concurrency=AT_ONCE
        )
        took = time.perf_counter() - began
    assert {report.status for report in reports} == {status}, reports[0]
    return took


async def sweeps(count: int, port: int) -> None:
    hosts = [f"127.{1 + at // 62_500}.{at // 250 % 250}.{1 + at % 250}" for at in range(count)]
    feeds = [Feed(id=f"feed-{at}", url=f"http://{host}:{port}/feed", partner="") for at, host in enumerate(hosts)]
    urls = [(host, port) for host in hosts]
    with tempfile.TemporaryDirectory() as folder:
        _prepared(Path(folder))
        with Store.open("sqlite:///bench.db", site_dir=Path(folder)) as opened:
            store = Feeds(opened)
            _seed(store, feeds)
            ours, theirs = [], []
            for _ in range(ROUNDS):
                theirs.append(await bare(urls))
                ours.append(await sweep(feeds, store, status=304))
    print(f"unchanged sweep:            {median(ours):7.2f} s, {count / median(ours):6.0f} feeds/s")
    print(f"bare asyncio client:        {median(theirs):7.2f} s, {count / median(theirs):6.0f} requests/s")
    print(f"  ratio                     {median(theirs) / median(ours):7.2f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory of the process that polls {peak:.0f} MB")


def _prepared(folder: Path) -> None:
    """A database as a site has it: made by another process, since making it takes memory that polling does not."""
    make = "import sys, pathlib; from newsletter.store.engine import Store; "
    make += "Store.open('sqlite:///bench.db', site_dir=pathlib.Path(sys.argv[1])).close()"
    subprocess.run([sys.executable, "-c", make, str(folder)], check=True)


async def first_poll(port: int) -> None:
    feeds = [Feed(id=f"feed-{at}", url=f"http://127.0.0.{1 + at}:{port}/feed", partner="") for at in range(FIRST)]
    with tempfile.TemporaryDirectory() as folder, Store.open("sqlite:///bench.db", site_dir=Path(folder)) as opened:
        took = await sweep(feeds, Feeds(opened), status=200)
    print(f"first poll of {FIRST} feeds:      {took:7.2f} s, {FIRST * 30 / took:6.0f} items/s", flush=True)


def _seed(store: Feeds, feeds: list[Feed]) -> None:
    """What a first poll leaves behind, without its items: an unchanged sweep looks at no item."""
    promises = [
        store.keep(
            FeedHealth(
                feed_id=feed.id,
                url=feed.url,
                state=FeedState.ACTIVE,
                validators=Validators(etag=ETAG),
                body_hash="0" * 64,
                habits=Habits(window=30, pace=timedelta(hours=4), news_at=NOW),
            )
        )
        for feed in feeds
    ]
    for promise in promises:
        promise.result()


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def readings() -> None:
    feed = Feed(id="bench", url="https://bench.example/feed/", partner="Bench")
    before, after = document(range(2, 32)), document(range(30))
    body = Body(feed=feed, content=after, url=feed.url)
    known = frozenset(
        keyed.entry.source_digest
        for keyed in read(Body(feed=feed, content=before, url=feed.url), lambda _: frozenset(), now=NOW).entries
    )

    def cut() -> object:
        tree = scan(after, base=feed.url, salt=salt(feed))
        assert tree is not None
        return parse(tree.without(known), base=feed.url)

    ways: dict[str, Callable[[], object]] = {
        "feedparser, its defaults": lambda: feedparser.parse(io.BytesIO(after)),
        "two new of thirty, parsed": cut,
        "two new of thirty, cleaned": lambda: read_if_small(body, lambda digests: known & frozenset(digests), now=NOW),
        "thirty new, cleaned": lambda: read(body, lambda _: frozenset(), now=NOW),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS * 4):
        for name, work in ways.items():
            took[name].append(timed(work))
    reference = median(took["feedparser, its defaults"])
    print(f"a document of {len(after) // 1024} KB:")
    for name, times in took.items():
        print(f"  {name:26}{median(times) * 1000:7.1f} ms, {reference / median(times):5.1f} x")


def main() -> None:
    log.configure("error")
    match sys.argv[1:]:
        case ["serve"]:
            asyncio.run(serve())
        case ["sweep", count, port]:
            asyncio.run(sweeps(int(count), int(port)))
        case ["read"]:
            readings()
        case [] | [_]:
            readings()
            _sweep_apart(sys.argv[1] if sys.argv[1:] else "500")
        case _:
            sys.exit(__doc__)


def _sweep_apart(count: str) -> None:
    command = [sys.executable, __file__]
    with subprocess.Popen([*command, "serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            port = server.stdout.readline().strip()
            asyncio.run(first_poll(int(port)))
            subprocess.run([*command, "sweep", count, port], check=True)
        finally:
            server.kill()


if __name__ == "__main__":
    main()
