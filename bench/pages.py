"""How soon the public pages answer under 200 requests a second, while an edition is being sent by the same process.

Run: `python bench/pages.py [seconds]`, 20 unless told. The mix is what a morning brings: the archive, feeds asked with
their validators, preferences, sign-ups and one-click leaving, each person with an own link. Requests leave on time
whether or not earlier ones are answered, and a wait counts from when the request was due. Beside it: the same requests
to a bare page of the same server software that does nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import aiohttp
import first
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from newsletter import log
from newsletter.app import App
from newsletter.readers.tokens import Purpose
from newsletter.serving import listening
from newsletter.site import open_site

A_SECOND = 200
SUBSCRIBERS = 60_000
RATE = 'rate = "2000/second"'
MIX = {"archive": 40, "feed": 20, "list page": 10, "preferences": 10, "leave": 18, "sign up": 2}
ONE_CLICK = b"List-Unsubscribe=One-Click"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(slots=True)
class Load:
    """What was asked, and how it went."""

    base_url: str
    leaving: Iterator[str]
    preferring: Iterator[str]
    tag: str = ""
    waits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def request(self, kind: str, number: int) -> tuple[str, str, bytes | None, dict[str, str]]:
        match kind:
            case "archive":
                return "GET", "/archive/brief/1", None, {}
            case "feed":
                return "GET", "/feeds/brief.atom", None, {"If-None-Match": self.tag}
            case "list page":
                return "GET", "/lists/brief", None, {}
            case "preferences":
                return "GET", f"/p/{next(self.preferring)}", None, {}
            case "leave":
                return "POST", f"/u/{next(self.leaving)}", ONE_CLICK, FORM
            case _:
                return "POST", "/lists/brief/subscribe", f"address=new{number}%40mail.example".encode(), FORM

    async def one(self, session: aiohttp.ClientSession, kind: str, number: int, due: float) -> None:
        method, path, body, headers = self.request(kind, number)
        try:
            async with session.request(method, self.base_url + path, data=body, headers=headers) as answer:
                await answer.read()
                fine = answer.status in {200, 304}
        except aiohttp.ClientError:
            fine = False
        self.waits[kind].append(asyncio.get_running_loop().time() - due)
        if not fine:
            self.wrong[kind] += 1

    async def run(self, seconds: int) -> None:
        luck = random.Random(7)
        kinds = luck.choices(list(MIX), weights=list(MIX.values()), k=A_SECOND * seconds)
        loop = asyncio.get_running_loop()
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session,
            asyncio.TaskGroup() as group,
        ):
            async with session.get(f"{self.base_url}/feeds/brief.atom") as answer:
                self.tag = answer.headers.get("ETag", "")
            began = loop.time()
            for number, kind in enumerate(kinds):
                due = began + number / A_SECOND
                await asyncio.sleep(max(0.0, due - loop.time()))
                group.create_task(self.one(session, kind, number, due))


def show(title: str, load: Load) -> None:
    everything = list(itertools.chain.from_iterable(load.waits.values()))
    print(f"{title}: {len(everything):,} requests, {sum(load.wrong.values())} not answered well")
    for kind, waits in [*load.waits.items(), ("all", everything)]:
        cuts = quantiles(waits, n=100)
        print(
            f"  {kind:12}{len(waits):6,}   median {cuts[49] * 1000:6.1f} ms   99 % {cuts[98] * 1000:6.1f} ms",
            flush=True,
        )


async def bare(port: int) -> None:
    """Serve the page that does nothing."""

    async def page(_: Request) -> PlainTextResponse:
        return PlainTextResponse("x" * 1000)

    app = Starlette(routes=[Route("/{path:path}", page, methods=["GET", "POST"])])
    await uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", access_log=False)).serve()


@contextlib.asynccontextmanager
async def running(*command: str | Path, port: int) -> AsyncIterator[None]:
    """A program that serves pages at a port, until the block ends."""
    process = await asyncio.create_subprocess_exec(*map(str, command), stderr=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await process.wait()


def prepared(folder: Path, *, web: int, partner: int, relay: int) -> App:
    """A site whose pages are at `web`, with its subscribers."""
    path = first.site(folder, "sqlite:///var/bench.db", partner=partner, relay=relay)
    config = path / "config.toml"
    settings = config.read_text().replace("https://bench.example", f"http://127.0.0.1:{web}")
    config.write_text(settings.replace('name = "bench"\n', f'name = "bench"\n{RATE}\n'))
    app = App.open(open_site(path))
    first.subscribe(app, SUBSCRIBERS)
    return app


async def measure(folder: Path, seconds: int) -> None:
    with contextlib.ExitStack() as stack:
        web, other = (sock.getsockname()[1] for sock in [stack.enter_context(listening("127.0.0.1", 0)) for _ in "ab"])
    peers = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(first.__file__)), "peers", stdout=subprocess.PIPE
    )
    assert peers.stdout is not None
    partner, relay = map(int, (await peers.stdout.readline()).split())
    draining = asyncio.create_task(_drained(peers.stdout))
    app = prepared(folder / "site", web=web, partner=partner, relay=relay)
    await app.poll()
    composed = await app.compose("daily")
    assert composed.edition_id is not None, composed.because
    subscriptions = random.Random(3).sample(range(1, SUBSCRIBERS + 1), SUBSCRIBERS // 2)
    load = Load(
        f"http://127.0.0.1:{web}",
        leaving=(app.tokens.make(Purpose.UNSUBSCRIBE, number) for number in subscriptions),
        preferring=(app.tokens.make(Purpose.PREFERENCES, number) for number in reversed(subscriptions)),
    )
    async with running(sys.executable, "-m", "newsletter", "--site", folder / "site", "run", port=web):
        before, began = app.editions.report(composed.edition_id).sent, time.monotonic()
        await load.run(seconds)
        sent = app.editions.report(composed.edition_id).sent - before
        print(f"mails sent meanwhile: {sent:,}, {sent / (time.monotonic() - began):,.0f} a second")
    app.close()
    peers.kill()
    await asyncio.gather(peers.wait(), draining)
    show("our pages", load)
    reference = Load(f"http://127.0.0.1:{other}", leaving=itertools.repeat("x"), preferring=itertools.repeat("x"))
    async with running(sys.executable, __file__, "bare", str(other), port=other):
        await reference.run(seconds)
    show("a bare page", reference)


async def _drained(stream: asyncio.StreamReader) -> None:
    while await stream.readline():
        pass


def main() -> None:
    log.configure("error")
    if sys.argv[1:2] == ["bare"]:
        asyncio.run(bare(int(sys.argv[2])))
        return
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(measure(Path(folder), int(sys.argv[1]) if sys.argv[1:] else 20))


if __name__ == "__main__":
    main()
