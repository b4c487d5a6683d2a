"""What one long run of `newsletter send` costs: processor time a message, tenth by tenth, and the memory it takes.

Run: `python3 dev.py bench long [--messages N] [--few N]`. The sender is the command itself, in a process of its own, on
SQLite, with the full durable ledger; postfix's smtp-sink takes what it sends. Before each tenth it is halted, while
another sender, which is warm, sends editions for a few, one after the other, from a database of its own: so a machine
that is slow for a while is so for both. All editions are frozen beforehand, and what it takes to start up does not
count; what it takes to end does.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import uvloop
from send import freeze, sink

from newsletter import log
from newsletter.app import App
from newsletter.render.samples import DIGEST, MAILING_LIST, PUBLICATION
from newsletter.site import open_site
from newsletter.store.engine import Store
from tests.store.samples import add_people

TENTHS = 10
AT_A_TIME = 5_000
URL = "sqlite:///newsletter.db"
CONFIG = f"""
[publication]
name = "{PUBLICATION.name}"
base_url = "https://news.example.org"
from = "The Example Brief <brief@news.example.org>"
bounce_address = "bounces@bounce.example.org"
postal_address = "1 Example Street, London"
[store]
url = "{URL}"
[[relays]]
name = "sink"
url = "smtp://127.0.0.1:{{port}}"
[lists.{MAILING_LIST.id}]
title = "The Brief"
[digests.{DIGEST.id}]
list = "{MAILING_LIST.id}"
subject = "News"
feeds = ["strait"]
"""
FEED = """
url = "http://127.0.0.1:9/feed"
partner = "The Strait Review"
[rights]
reuse = "full"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """At a sending process: messages accepted until now, its seconds of processor time, its memory in MB."""

    sent: int
    cpu: float
    memory: float
    most: float
    """Memory at its highest until now."""


class Few:
    """A sender that stays, and sends an edition for a few whenever it is told to."""

    def __init__(self, folder: Path, *, port: int, given: argparse.Namespace) -> None:
        self._folder, self._given, self._number = folder, given, 0
        make_site(folder, given.few, port=port)
        command = [sys.executable, __file__, "--beside", str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.costs: list[float] = []

    def send(self) -> float:
        """Microseconds of processor time a message; the median of some editions."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        costs = []
        for _ in range(self._given.editions):
            edition = frozen(self._folder, self._number, size=self._given.bytes)
            self._number += 1
            print(edition, file=self.process.stdin, flush=True)
            sent, cpu = self.process.stdout.readline().split()
            assert int(sent) == self._given.few
            costs.append(float(cpu) / self._given.few * 1e6)
        self.costs += costs
        return median(costs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000, help="50,000 at least: it tells ten times a second")
    parser.add_argument("--few", type=int, default=1_000)
    parser.add_argument("--editions", type=int, default=5, help="of a few, beside each tenth")
    parser.add_argument("--bytes", type=int, default=1_000, help="about how long an edition's text is")
    parser.add_argument("--dir", type=Path, help="where the databases are made; else a temporary folder")
    parser.add_argument("--beside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.beside:
        beside(given.beside)
        return
    with tempfile.TemporaryDirectory(dir=given.dir, prefix="bench-long-") as name, sink() as port:
        few = Few(Path(name) / "few", port=port, given=given)
        with few.process:
            few.send()
            few.costs.clear()
            tell(Path(name) / "many", few, port=port, given=given)
            few.process.communicate()


def tell(folder: Path, few: Few, *, port: int, given: argparse.Namespace) -> None:
    make_site(folder, given.messages, port=port)
    frozen(folder, 0, size=given.bytes)
    began, seen, beside = time.perf_counter(), [], []
    for seen_now in run(folder, given.messages):
        seen.append(seen_now)
        beside.append(few.send())
    for number, (before, after) in enumerate(pairwise(seen), 1):
        each, ours = per_message(before, after), (beside[number - 1] + beside[number]) / 2
        print(
            f"{number:2}. tenth: {each:6.1f} µs of processor time each, {each / ours:5.2f} × {ours:6.1f} µs; "
            f"{after.memory:6.1f} MB, {after.most:6.1f} MB until then"
        )
    each, usual = per_message(seen[0], seen[-1]), median(few.costs)
    print(f"{given.few:>9,} messages: {usual:6.1f} µs each, the median of {len(few.costs)} editions")
    print(f"{given.messages:>9,} messages: {each:6.1f} µs each, {each / usual:.2f} ×; at most {seen[-1].most:.1f} MB")
    print(f"{time.perf_counter() - began:.0f} s, the others' time included")


def make_site(folder: Path, readers: int, *, port: int) -> None:
    (folder / "feeds").mkdir(parents=True)
    (folder / "feeds" / "strait.toml").write_text(FEED, encoding="utf-8")
    (folder / "config.toml").write_text(CONFIG.format(port=port), encoding="utf-8")
    with Store.open(URL, site_dir=folder) as store:
        for first in range(0, readers, AT_A_TIME):
            add_people(store, min(AT_A_TIME, readers - first), first=first, list_id=MAILING_LIST.id)


def frozen(folder: Path, number: int, *, size: int) -> str:
    with Store.open(URL, site_dir=folder) as store:
        return freeze(store, number, size=size)


def run(folder: Path, many: int) -> Iterator[Look]:
    """A look at the sender before each tenth, while it is halted, and one when it has ended."""
    command = [sys.executable, "-m", "newsletter", "--site", str(folder), "send", "--json"]
    options: dict[str, Any] = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    options["env"] = os.environ | {"NEWSLETTER_LOG_LEVEL": "info"}
    before = ended_cpu()
    with subprocess.Popen(command, **options) as sender:
        told = told_by(sender)
        for tenth in range(TENTHS):
            sent = next(sent for sent in told if sent >= many * tenth // TENTHS)
            with halted(sender.pid):
                yield look(sender.pid, sent=sent)
        for sent in told:
            last = look(sender.pid, sent=sent)
        answer = json.loads(sender.communicate()[0])
    assert answer["sent"] == last.sent == many, answer
    # The last line is not the end: what is in SQLite's journal goes into the file.
    yield replace(last, cpu=ended_cpu() - before)


def told_by(sender: subprocess.Popen[str]) -> Iterator[int]:
    """How many it has sent, from each line that says so."""
    assert sender.stderr is not None
    for line in sender.stderr:
        if "sent" in (said := json.loads(line)):
            yield said["sent"]


@contextmanager
def halted(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def ended_cpu() -> float:
    """Seconds of processor time of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def look(pid: int, *, sent: int) -> Look:
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines())
    memory, most = (int(status[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    cpu = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return Look(sent=sent, cpu=cpu, memory=memory, most=most)


def per_message(before: Look, after: Look) -> float:
    """Microseconds."""
    return (after.cpu - before.cpu) / (after.sent - before.sent) * 1e6


def beside(folder: Path) -> None:
    """Send each edition that a line names; tell how many messages that were, and its seconds of processor time."""
    log.configure("error")
    app = App.open(open_site(folder))
    for line in sys.stdin:
        before = time.process_time()
        done = uvloop.run(app.dispatch.send(line.strip()))
        print(done.counts.sent, time.process_time() - before, flush=True)
    app.close()


if __name__ == "__main__":
    main()
