"""How long after a partner's answer the first mail with its new item is accepted, with many subscribers.

Run: `python bench/first.py [SUBSCRIBERS [POSTGRESQL_URL]]`, 100,000 unless told. A poll, an edition, frozen with its
first recipients, and sending, while the others are written down, until the relay has said 250 once; the partner and the
relay are in another process, which tells when. The program is warm, as one that runs is: the first round does not
count. Beside it: as many rows written durably by bare sqlite3, an INSERT … SELECT into a table with one index.
"""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import _partners as partners
import uvloop

from newsletter import log
from newsletter.app import App
from newsletter.model.edition import EditionState
from newsletter.model.subscriber import Newcomer
from newsletter.site import open_site

SUBSCRIBERS = 100_000
ROUNDS = 5
AT_A_TIME = 5_000
CONFIG = """
[publication]
name = "The Bench Brief"
base_url = "https://bench.example"
from = "The Bench Brief <brief@bench.example>"
bounce_address = "bounces@bench.example"
language = "en"
timezone = "UTC"
postal_address = "1 Bench Street"
[store]
url = "{store}"
[[relays]]
name = "bench"
url = "smtp://127.0.0.1:{relay}"
[collect]
allow_private_hosts = ["127.0.0.1"]
[lists.brief]
title = "The Brief"
[digests.daily]
list = "brief"
schedule = "0 7 * * *"
feeds = ["strait"]
subject = "{{{{ lead.headline }}}}"
"""
FEED = """
url = "http://127.0.0.1:{partner}/feed"
partner = "The Strait Review"
poll_every = "5m"
[rights]
reuse = "full"
"""


async def peers() -> None:
    """A partner with one more item at each request, and a relay that accepts everything; tell the ports, then when."""
    newest = 100

    def told(what: str) -> None:
        print(what, time.monotonic(), flush=True)

    async def partner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal newest
        await reader.readuntil(b"\r\n\r\n")
        newest += 1
        body = partners.document(range(newest, newest - partners.WINDOW, -1))
        told("answered")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 bench.example\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"EHLO":
                writer.write(b"250-bench.example\r\n250-8BITMIME\r\n250 PIPELINING\r\n")
            elif word == b"DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                told("accepted")
                writer.write(b"250 taken\r\n")
            else:
                writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 well\r\n")
        writer.close()

    servers = [await asyncio.start_server(each, "127.0.0.1", 0, limit=2**24) for each in (partner, relay)]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.Event().wait()


def site(folder: Path, store: str, *, partner: int, relay: int) -> Path:
    (folder / "feeds").mkdir(parents=True)
    (folder / "config.toml").write_text(CONFIG.format(store=store, relay=relay))
    (folder / "feeds" / "strait.toml").write_text(FEED.format(partner=partner))
    return folder


def subscribe(app: App, many: int) -> None:
    for first in range(0, many, AT_A_TIME):
        people = [
            Newcomer(address=f"reader{number}@mail.example", lists=("brief",))
            for number in range(first, min(first + AT_A_TIME, many))
        ]
        app.subscribers.add(people, confirmed=True, source="bench", text="", now=app.clock.now())


async def once(app: App, told: asyncio.StreamReader) -> dict[str, float]:
    """Milliseconds from the partner's answer to each step's end."""
    done: dict[str, float] = {}
    await app.poll(force=True)
    done["polled"] = time.monotonic()
    composed = await app.compose("daily")
    assert composed.edition_id is not None, composed.because
    done["composed"] = time.monotonic()
    stop = asyncio.Event()
    sending = asyncio.create_task(app.dispatch.send(composed.edition_id, stop=stop))
    answered, accepted = await at(told, "answered"), await at(told, "accepted")
    stop.set()
    await sending
    await app.freeze_rest(asyncio.Event())
    # Its stories stay issued, so that the next edition has the next item alone.
    app.editions.move(composed.edition_id, EditionState.PAUSED, now=app.clock.now())
    done["first mail accepted"] = accepted
    return {step: (then - answered) * 1000 for step, then in done.items()}


async def at(told: asyncio.StreamReader, what: str) -> float:
    """When it happened next; what is left of the round before is passed over."""
    while True:
        word, _, then = (await told.readline()).decode().partition(" ")
        if word == what:
            return float(then)


def reference(folder: Path, rows: int) -> float:
    """Milliseconds for as many narrow rows, durably."""
    base = sqlite3.connect(folder / "reference.db", isolation_level=None)
    base.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE people (id INTEGER PRIMARY KEY)")
    numbers = f"WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < {rows}) SELECT v FROM n"
    base.execute(f"INSERT INTO people {numbers}")
    base.execute("CREATE TABLE sent (id INTEGER PRIMARY KEY, person INTEGER, edition TEXT, state TEXT)")
    base.execute("CREATE UNIQUE INDEX ux ON sent (person, edition)")
    began = time.perf_counter()
    base.execute("INSERT INTO sent (person, edition, state) SELECT id, 'daily-2026-11-23', 'queued' FROM people")
    took = (time.perf_counter() - began) * 1000
    base.close()
    return took


async def measure(folder: Path, many: int, store: str) -> None:
    command = [sys.executable, __file__, "peers"]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        partner, relay = map(int, (await process.stdout.readline()).split())
        app = App.open(open_site(site(folder / "site", store, partner=partner, relay=relay)))
        subscribe(app, many)
        await app.poll()
        rounds = [await once(app, process.stdout) for _ in range(ROUNDS + 1)][1:]
        app.close()
    finally:
        process.kill()
        await process.wait()
    print(f"{many:,} subscribers, from the partner's answer, medians of {ROUNDS} rounds:")
    for step in rounds[0]:
        print(f"  {step:22}{median(each[step] for each in rounds):7.0f} ms")
    bare = median(reference(Path(tempfile.mkdtemp(dir=folder)), many) for _ in range(3))
    print(f"  {many:,} narrow rows by bare sqlite3: {bare:.0f} ms")


def main() -> None:
    log.configure("error")
    if sys.argv[1:] == ["peers"]:
        asyncio.run(peers())
        return
    given = sys.argv[1:]
    many = int(given[0]) if given else SUBSCRIBERS
    store = given[1] if len(given) > 1 else "sqlite:///var/bench.db"
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(measure(Path(folder), many, store))


if __name__ == "__main__":
    main()
