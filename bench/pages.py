"""How soon the public pages answer under 200 requests a second, while an edition is being sent.

Run: `python bench/pages.py [seconds [set-up …]]`, 15 and all of them unless told: `together` is one `newsletter run`,
`apart` a process for each of its roles, `bare` a page of the same server software that does nothing. The mix is what a
morning brings: the archive, feeds asked with their validators, preferences, sign-ups and one-click leaving, each person
with an own link. Requests leave on time whether or not earlier ones are answered, and a wait counts from when the
request was due. Nothing counts before mail is going out and seconds of the same requests were answered; the edition
must be under way to the end. The machine also runs the relay, the partner and whoever asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
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
from newsletter.listening import listening
from newsletter.readers.tokens import Purpose
from newsletter.site import open_site

A_SECOND = 200
WARM_UP_SECONDS = 5
MAILS_A_SECOND = 2000
SECONDS_TO_START = 10
SET_UPS: dict[str, list[tuple[str, ...]]] = {
    "together": [("run",)],
    "apart": [("run", "--role", role) for role in ("web", "sender", "clock")],
}
MIX = {"archive": 40, "feed": 20, "list page": 10, "preferences": 10, "leave": 18, "sign up": 2}
ONE_CLICK = b"List-Unsubscribe=One-Click"
_TICKS = os.sysconf("SC_CLK_TCK")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(slots=True)
class Load:
    """What was asked, and how it went."""

    base_url: str
    leaving: Iterator[str]
    preferring: Iterator[str]
    newcomers: Iterator[int] = field(default_factory=itertools.count)
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

    async def run(self, seconds: int, *, luck: int) -> None:
        kinds = random.Random(luck).choices(list(MIX), weights=list(MIX.values()), k=A_SECOND * seconds)
        self.waits.clear()
        self.wrong.clear()
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
                group.create_task(self.one(session, kind, next(self.newcomers), due))


def show(title: str, load: Load) -> None:
    everything = list(itertools.chain.from_iterable(load.waits.values()))
    print(f"{title}: {len(everything):,} requests, {sum(load.wrong.values())} not answered well")
    for kind, waits in [*sorted(load.waits.items()), ("all", everything)]:
        cuts = [quantiles(waits, n=100)[percent - 1] * 1000 for percent in (50, 95, 99)]
        print(
            f"  {kind:12}{len(waits):6,}   median {cuts[0]:6.1f} ms   95 % {cuts[1]:6.1f} ms   99 % {cuts[2]:6.1f} ms"
        )
    sys.stdout.flush()


async def bare(port: int) -> None:
    """Serve the page that does nothing."""

    async def page(_: Request) -> PlainTextResponse:
        return PlainTextResponse("x" * 1000)

    app = Starlette(routes=[Route("/{path:path}", page, methods=["GET", "POST"])])
    await uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", access_log=False)).serve()


@contextlib.asynccontextmanager
async def running(*commands: Sequence[str | Path], port: int) -> AsyncIterator[list[int]]:
    """Programs of which one serves pages at a port, until the block ends; their process ids."""
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, *map(str, command), stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.05)
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            await process.wait()


def processor_seconds(pids: Iterable[int]) -> float:
    """What processes and those below them have used so far."""
    ticks = 0
    for pid in pids:
        proc = Path(f"/proc/{pid}")
        after_name = (proc / "stat").read_text().rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])
        children = [int(each) for task in (proc / "task").iterdir() for each in (task / "children").read_text().split()]
        ticks += int(processor_seconds(children) * _TICKS)
    return ticks / _TICKS


def prepared(folder: Path, *, web: int, partner: int, relay: int, subscribers: int) -> App:
    """A site whose pages are at `web`, with its subscribers."""
    path = first.site(folder, "sqlite:///var/bench.db", partner=partner, relay=relay)
    config = path / "config.toml"
    settings = config.read_text().replace("https://bench.example", f"http://127.0.0.1:{web}")
    rate = f'rate = "{MAILS_A_SECOND}/second"'
    config.write_text(settings.replace('name = "bench"\n', f'name = "bench"\n{rate}\n'))
    app = App.open(open_site(path))
    first.subscribe(app, subscribers)
    return app


@contextlib.asynccontextmanager
async def peers() -> AsyncIterator[tuple[int, int]]:
    """A partner and a relay in a process of their own; their ports."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(first.__file__)), "peers", stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    partner, relay = map(int, (await process.stdout.readline()).split())
    draining = asyncio.create_task(_drained(process.stdout))
    try:
        yield partner, relay
    finally:
        process.kill()
        await asyncio.gather(process.wait(), draining)


async def ours(folder: Path, seconds: int, set_up: str) -> None:
    subscribers = MAILS_A_SECOND * (seconds + WARM_UP_SECONDS + SECONDS_TO_START)
    web = free_port()
    async with peers() as (partner, relay):
        app = prepared(folder, web=web, partner=partner, relay=relay, subscribers=subscribers)
        await app.poll()
        composed = await app.compose("daily")
        assert composed.edition_id is not None, composed.because
        holders = random.Random(3).sample(range(1, subscribers + 1), subscribers // 2)
        load = Load(
            f"http://127.0.0.1:{web}",
            leaving=(app.tokens.make(Purpose.UNSUBSCRIBE, number) for number in holders),
            preferring=(app.tokens.make(Purpose.PREFERENCES, number) for number in reversed(holders)),
        )
        commands = [("-m", "newsletter", "--site", str(folder), *command) for command in SET_UPS[set_up]]
        async with running(*commands, port=web) as pids:
            while True:
                if app.editions.report(composed.edition_id).sent:
                    break
                await asyncio.sleep(0.05)
            await load.run(WARM_UP_SECONDS, luck=6)
            before, used, began = app.editions.report(composed.edition_id), processor_seconds(pids), time.monotonic()
            await load.run(seconds, luck=7)
            after, used, took = (
                app.editions.report(composed.edition_id),
                processor_seconds(pids) - used,
                time.monotonic() - began,
            )
        app.close()
    if not after.queued:
        raise SystemExit("the edition was over before the requests were: its figures say nothing")
    show(set_up, load)
    print(
        f"  mails a second meanwhile {(after.sent - before.sent) / took:,.0f}, cores used {used / took:.2f}", flush=True
    )


async def nothing(seconds: int) -> None:
    port = free_port()
    load = Load(f"http://127.0.0.1:{port}", leaving=itertools.repeat("x"), preferring=itertools.repeat("x"))
    async with running((__file__, "page", str(port)), port=port):
        await load.run(WARM_UP_SECONDS, luck=6)
        await load.run(seconds, luck=7)
    show("bare", load)


async def measure(folder: Path, seconds: int, set_ups: Sequence[str]) -> None:
    for set_up in set_ups:
        await (ours(folder / set_up, seconds, set_up) if set_up in SET_UPS else nothing(seconds))


def free_port() -> int:
    with listening("127.0.0.1", 0) as sock:
        return int(sock.getsockname()[1])


async def _drained(stream: asyncio.StreamReader) -> None:
    while await stream.readline():
        pass


def main() -> None:
    log.configure("error")
    given = sys.argv[1:]
    if given[:1] == ["page"]:
        asyncio.run(bare(int(given[1])))
        return
    seconds, set_ups = int(given[0]) if given else 15, given[1:] or [*SET_UPS, "bare"]
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(measure(Path(folder), seconds, set_ups))


if __name__ == "__main__":
    main()
