"""How long a large file of subscribers takes, and how much memory, beside the least any import could do.

Run: `python bench/importing.py [rows]` (a million unless said otherwise). The file has names, a list, a field,
addresses in no order, and one in a thousand that is none. The reference reads the same file with the csv module and
puts its rows into a table of SQLite's with one unique key: no validation, no consent, no suppression asked.
"""

from __future__ import annotations

import csv
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from newsletter.site import open_site
from newsletter.store.databases import parse_url

ROWS = 1_000_000
_DOMAINS = ("gmail.com", "example.org", "web.example", "mail.example")


def rows(many: int) -> Iterator[tuple[str, str, str, str]]:
    luck = random.Random(1)
    for number in range(many):
        address = f"reader.{luck.randrange(10**9):09d}-{number}@{_DOMAINS[number % len(_DOMAINS)]}"
        yield address if number % 1000 else "no address", f"Reader {number}", "brief", f"Town {number % 500}"


def write(path: Path, many: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("address", "name", "list", "town"))
        writer.writerows(rows(many))


def reference(path: Path, database: Path) -> float:
    began = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as file, sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE people (address TEXT UNIQUE, name TEXT, list TEXT, town TEXT)")
        connection.executemany("INSERT OR IGNORE INTO people VALUES (?, ?, ?, ?)", csv.reader(file))
    return time.perf_counter() - began


def run(*arguments: str | Path) -> tuple[float, float]:
    """Wall and processor seconds of a command of ours; what it says goes to the terminal."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "newsletter", *map(str, arguments)], check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, used


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        people, site = place / "people.csv", place / "site"
        write(people, many)
        plain = reference(people, place / "reference.db")
        run("init", site)
        consent = ("--confirmed", "--source", "benchmark", "--bad-rows", place / "bad.csv")
        wall, used = run("subscribers", "import", people, "--site", site, *consent)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        database = Path(parse_url(open_site(site).settings.store_url.reveal(), site_dir=site).database or "")
        size = database.stat().st_size / 1e6
    print(f"{many} rows: {wall:.1f} s ({many / wall:.0f} a second), {used:.1f} s of processor, at most {peak:.0f} MB")
    print(f"the least: {plain:.1f} s; ours is {wall / plain:.1f} times that. The database has {size:.0f} MB")


if __name__ == "__main__":
    main()
