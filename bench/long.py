"""What one long run of `newsletter send` costs: processor time a message, tenth by tenth, and the memory it takes.

Run: `python3 dev.py bench long [--messages N] [--few N]`. The sender is the command itself, in a process of its own, on
SQLite, with the full durable ledger; postfix's smtp-sink takes what it sends. Beside it: the same for a few. What it
takes to start up does not count: a few messages could not make up for it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from send import freeze, sink

from newsletter.render.samples import DIGEST, MAILING_LIST, PUBLICATION
from newsletter.store.engine import Store
from tests.store.samples import add_people

TENTHS = 10
AT_A_TIME = 5_000
CONFIG = f"""
[publication]
name = "{PUBLICATION.name}"
base_url = "https://news.example.org"
from = "The Example Brief <brief@news.example.org>"
bounce_address = "bounces@bounce.example.org"
postal_address = "1 Example Street, London"
[store]
url = "sqlite:///newsletter.db"
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--few", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5, help="of a few, for the median")
    parser.add_argument("--bytes", type=int, default=1_000, help="about how long an edition's text is")
    parser.add_argument("--dir", type=Path, help="where the databases are made; else a temporary folder")
    given = parser.parse_args()
    one, some = (median(run(many, given)[-1].cpu for _ in range(given.rounds)) for many in (1, given.few))
    few = (some - one) / (given.few - 1) * 1e6
    print(f"{given.few:>9,} messages: {few:6.1f} µs of processor time each")
    seen = run(given.messages, given)
    tenths = [at(seen, given.messages * tenth // TENTHS) for tenth in range(TENTHS + 1)]
    for number, (before, after) in enumerate(pairwise(tenths), 1):
        each = per_message(before, after)
        print(f"{number:2}. tenth: {each:6.1f} µs each, {each / few:5.2f} ×; {after.memory:6.1f} MB", flush=True)
    each = (seen[-1].cpu - one) / given.messages * 1e6
    most = max(look.memory for look in seen)
    print(f"{given.messages:>9,} messages: {each:6.1f} µs each, {each / few:.2f} ×; at most {most:.1f} MB resident")


def run(many: int, given: argparse.Namespace) -> list[Look]:
    """Looks at a run that sends so many; the last when it has ended."""
    with tempfile.TemporaryDirectory(dir=given.dir, prefix="bench-long-") as name, sink() as port:
        folder = Path(name)
        (folder / "feeds").mkdir()
        (folder / "feeds" / "strait.toml").write_text(FEED, encoding="utf-8")
        (folder / "config.toml").write_text(CONFIG.format(port=port), encoding="utf-8")
        with Store.open("sqlite:///newsletter.db", site_dir=folder) as store:
            for first in range(0, many, AT_A_TIME):
                add_people(store, min(AT_A_TIME, many - first), first=first, list_id=MAILING_LIST.id)
            freeze(store, 1, size=given.bytes)
        command = [sys.executable, "-m", "newsletter", "--site", name, "send", "--json"]
        options: dict[str, Any] = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        options["env"] = os.environ | {"NEWSLETTER_LOG_LEVEL": "info"}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with subprocess.Popen(command, **options) as sender:
            seen = list(watched(sender))
            answer = json.loads(sender.communicate()[0])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert answer["sent"] == many, answer
    # The last line is not the end: what is in SQLite's journal goes into the file.
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [*seen, replace(seen[-1], cpu=cpu)]


def watched(sender: subprocess.Popen[str]) -> Iterator[Look]:
    """A look at each line that tells how far it has come."""
    assert sender.stderr is not None
    for line in sender.stderr:
        if "deliveries tried" in line or "run of deliveries ended" in line:
            yield look(sender.pid, sent=json.loads(line)["sent"])


def look(pid: int, *, sent: int) -> Look:
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    cpu = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return Look(sent=sent, cpu=cpu, memory=int(resident.split()[1]) / 1024)


def at(seen: list[Look], sent: int) -> Look:
    return next((look for look in seen if look.sent >= sent), seen[-1])


def per_message(before: Look, after: Look) -> float:
    """Microseconds."""
    return (after.cpu - before.cpu) / (after.sent - before.sent) * 1e6


if __name__ == "__main__":
    main()
