"""What a sweep over many feeds costs, beside a bare asyncio client that asks the same.

Run: `python bench/sweep.py [FEEDS [CHANGING]]`, 10,000 for the first sweep and 1,000 for the second unless told. Each
feed has a loopback address of its own and is asked by a conditional request; the server is another process. In the
first sweep all answer 304. In the second a tenth have two new items of thirty, which are read, recognised and kept; the
client beside it gives the whole bodies to feedparser with its defaults, and keeps nothing. Ours runs on uvloop, as the
program does, in a process that does nothing else, whose memory is told; so is that of `newsletter poll` itself, on a
site with a file for each feed. Medians of several rounds, in turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import _partners as partners
import uvloop

from newsletter import log
from newsletter.collect.http import Fetcher
from newsletter.collect.poll import poll
from newsletter.collect.worker import Parser
from newsletter.model.clock import SystemClock
from newsletter.model.feed import Feed, FeedHealth, FeedState, Habits, Validators
from newsletter.model.settings import Collect
from newsletter.store.engine import Store
from newsletter.store.feeds import Feeds

FEEDS, CHANGING = 10_000, 1_000
ROUNDS = 3
AT_ONCE = 16
NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)


def feeds_of(count: int, port: int) -> list[Feed]:
    numbered = enumerate(partners.hosts(count))
    return [Feed(id=f"feed-{at}", url=f"http://{host}:{port}/feed", partner="") for at, host in numbered]


async def bare(
    hosts: Sequence[str], port: int, condition: Callable[[str], str], body: Callable[[bytes], object]
) -> float:
    """Seconds for as many requests by nothing but sockets. What comes with a body is given to `body`."""
    waiting = iter(hosts)

    async def some() -> None:
        for host in waiting:
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(f"GET /feed HTTP/1.1\r\nHost: {host}\r\n{condition(host)}Connection: close\r\n\r\n".encode())
            head, _, content = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            if not head.startswith(b"HTTP/1.1 304"):
                body(content)

    began = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return time.perf_counter() - began


def if_news_since(rounds: int) -> Callable[[str], str]:
    return lambda host: f"If-None-Match: {partners.tag(host, rounds)}\r\n"


async def sweep(feeds: list[Feed], store: Feeds) -> tuple[float, int]:
    """Seconds for a poll of all feeds, and how many items were new."""
    settings = Collect(user_agent_contact="https://bench.example", allow_private_hosts=("127.0.0.0/8",))
    async with Fetcher(settings) as fetcher, Parser() as parser:
        began = time.perf_counter()
        reports = await poll(
            feeds, store=store, fetcher=fetcher, parser=parser, clock=SystemClock(), force=True, concurrency=AT_ONCE
        )
        took = time.perf_counter() - began
    assert not any(report.failed or report.because for report in reports)
    return took, sum(report.new for report in reports)


def seed(folder: Path, count: int, port: int, *, items: bool) -> None:
    """A store as earlier polls left it; with `items` those of the feeds that will bring news were read for it."""
    feeds = feeds_of(count, port)
    with Store.open("sqlite:///bench.db", site_dir=folder) as opened:
        store = Feeds(opened)
        read = [feed for feed in feeds if items and partners.brings_news(feed.url.split("/")[2].split(":")[0])]
        uvloop.run(sweep(read, store))
        done = {feed.id for feed in read}
        store.record_unchanged(*(polled(feed) for feed in feeds if feed.id not in done))


def polled(feed: Feed) -> FeedHealth:
    """What is known of a feed that was polled before. An unchanged sweep looks at no item, so it has none."""
    return FeedHealth(
        feed_id=feed.id,
        url=feed.url,
        state=FeedState.ACTIVE,
        validators=Validators(etag=partners.tag("", 0)),
        body_hash="0" * 64,
        habits=Habits(window=partners.WINDOW, pace=timedelta(hours=4), news_at=NOW),
    )


CONFIG = """
[publication]
name = "Bench"
base_url = "http://127.0.0.1:9"
from = "Bench <bench@news.example>"
bounce_address = "bounces@news.example"

[[relays]]
name = "none"
url = "smtp://127.0.0.1:9"

[store]
url = "sqlite:///bench.db"

[collect]
user_agent_contact = "https://bench.example"
allow_private_hosts = ["127.0.0.0/8"]
"""


def write_site(folder: Path, count: int, port: int) -> None:
    (folder / "config.toml").write_text(CONFIG)
    (folder / "feeds").mkdir()
    for feed in feeds_of(count, port):
        (folder / "feeds" / f"{feed.id}.toml").write_text(f'url = "{feed.url}"\npartner = "Bench"\n')


def command(folder: Path) -> None:
    """`newsletter poll` as somebody runs it; tells what memory it had (see `memory`)."""
    # Not loaded by the other process that is measured.
    cli = importlib.import_module("newsletter.cli.main")
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.suppress(SystemExit):
        cli.main(["--log-level", "error", "poll", "--force", "--site", str(folder)])
    print(*memory())


def memory() -> tuple[float, float]:
    """The most MB that this process had, and those it has for itself. Not ru_maxrss: that begins with the parent's."""
    told = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(told["VmHWM"].split()[0]) / 1024, int(told["RssAnon"].split()[0]) / 1024


def ours(folder: Path, count: int, port: int) -> None:
    """One sweep; tells its seconds, the new items and the most memory that this process had, in MB."""
    with Store.open("sqlite:///bench.db", site_dir=folder) as opened:
        store = Feeds(opened)
        feeds = feeds_of(count, port)
        took, new = uvloop.run(sweep(feeds, store))
    print(took, new, *memory())


def apart(role: str, *arguments: object) -> list[float]:
    """What this file says when it is run in another role."""
    command = [sys.executable, __file__, role, *map(str, arguments)]
    return [float(word) for word in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()]


def unchanged(folder: Path, count: int, port: int) -> None:
    hosts = partners.hosts(count)
    apart("seed", folder, count, port)
    took, theirs, peaks, own = [], [], [], []
    for _ in range(ROUNDS):
        theirs.append(asyncio.run(bare(hosts, port, if_news_since(0), lambda _: None)))
        seconds, _, peak, anonymous = apart("ours", folder, count, port)
        took.append(seconds)
        peaks.append(peak)
        own.append(anonymous)
    print(f"{count:,} feeds, all unchanged")
    compare(count, took, theirs, "bare asyncio client")
    print(
        f"  memory of the process that polls: {max(peaks):.0f} MB at its peak, {max(own):.0f} MB of them its own",
        flush=True,
    )
    write_site(folder, count, port)
    peak, anonymous = apart("command", folder)
    print(f"  memory of `newsletter poll`: {peak:.0f} MB at its peak, {anonymous:.0f} MB of them its own", flush=True)


def parsed(body: bytes) -> None:
    # Not loaded by those processes that are measured.
    feedparser = importlib.import_module("feedparser")
    feedparser.parse(io.BytesIO(body))


def changing(folder: Path, count: int, port: int) -> None:
    hosts = partners.hosts(count)
    news = [host for host in hosts if partners.brings_news(host)]
    apart("seed", folder, count, port, "items")
    took, theirs, whole = [], [], []
    for rounds in range(ROUNDS):
        asyncio.run(bare_next(port))
        theirs.append(asyncio.run(bare(hosts, port, if_news_since(rounds), parsed)))
        whole.append(asyncio.run(bare(news, port, lambda _: "", parsed)) * len(hosts) / len(news))
        seconds, new, *_ = apart("ours", folder, count, port)
        assert new == len(news) * partners.NEWS, new
        took.append(seconds)
    print(f"{count:,} feeds, {len(news)} of them with two new items of thirty")
    compare(count, took, theirs, "bare client, feedparser for what changed")
    compare(count, took, whole, "bare client, whole bodies, feedparser for all")


async def bare_next(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /next HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await reader.read()
    writer.close()


def compare(count: int, took: list[float], theirs: list[float], name: str) -> None:
    reference, mine = median(theirs), median(took)
    print(f"  {name:46}{reference:7.2f} s {count / reference:6,.0f} feeds/s")
    print(f"  {'ours':46}{mine:7.2f} s {count / mine:6,.0f} feeds/s   {reference / mine:6.2f} x")


def main() -> None:
    log.configure("error")
    match sys.argv[1:]:
        case ["seed", folder, count, port, *items]:
            seed(Path(folder), int(count), int(port), items=bool(items))
        case ["command", folder]:
            command(Path(folder))
        case ["ours", folder, count, port]:
            ours(Path(folder), int(count), int(port))
        case sizes:
            whole, part = [*map(int, sizes), *[FEEDS, CHANGING][len(sizes) :]]
            for measure, count in ((unchanged, whole), (changing, part)):
                with partners.serving() as port, tempfile.TemporaryDirectory() as folder:
                    measure(Path(folder), count, port)


if __name__ == "__main__":
    main()
