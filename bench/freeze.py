"""How long freezing an edition takes on SQLite, and calling it off, for many subscribers, one edition after the other.

Run: `python3 dev.py bench freeze --subscribers N --editions N`. By the clock, and the time of a core, which says more
where others use the machine too: until the first recipients are written down, and until all are. Meanwhile another
process writes a little, as one does in which a reader leaves, again and again: how long it waited for its turn and its
commit. Beside it: as many rows written durably by bare sqlite3, into a table with one index.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles

from first import reference

from newsletter.compose.writing_down import freeze_rest
from newsletter.model.edition import EditionState
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.limits import Limits
from tests.store.samples import NOW, add_items, add_people, draft_of, rendered_of

AT_A_TIME = 5_000
URL = "sqlite:///newsletter.db"
PAUSE_SECONDS = 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=100_000)
    parser.add_argument("--editions", type=int, default=5)
    parser.add_argument("--beside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.beside:
        beside(given.beside)
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        with Store.open(URL, site_dir=Path(folder)) as store:
            subscribe(store, given.subscribers)
            for number in range(1, given.editions + 1):
                print(frozen(store, number, Path(folder)), flush=True)
        print(f"bare sqlite3: {reference(Path(folder), given.subscribers) / 1000:.2f} s")


def subscribe(store: Store, many: int) -> None:
    for first in range(0, many, AT_A_TIME):
        add_people(store, min(AT_A_TIME, many - first), first=first)


def frozen(store: Store, number: int, folder: Path) -> str:
    """Freeze an edition, call it off, and tell what that took."""
    draft = draft_of(add_items(store, 1), edition_id=f"daily-{number:04}", number=number)
    editions = Editions(store)
    with others(folder) as waits:
        began, core = time.perf_counter(), time.process_time()
        editions.freeze(draft, rendered_of(draft), slot=draft.id, state=EditionState.APPROVED, now=NOW)
        first = time.perf_counter() - began
        asyncio.run(freeze_rest(editions, stop=asyncio.Event()))
        wall, core = time.perf_counter() - began, time.process_time() - core
    froze = f"the first after {first * 1000:.0f} ms, all after {wall:.2f} s, {core:.2f} s of a core; {waits[0]}"
    with others(folder) as waits:
        began, core = time.perf_counter(), time.process_time()
        editions.move(draft.id, EditionState.CANCELLED, now=NOW)
        wall, core = time.perf_counter() - began, time.process_time() - core
    return f"edition {number}: {froze}\n  called off: all after {wall:.2f} s, {core:.2f} s of a core; {waits[0]}"


@contextmanager
def others(folder: Path) -> Iterator[list[str]]:
    """Meanwhile another process writes; how that went is in the list at the end."""
    command = [sys.executable, __file__, "--beside", str(folder)]
    told: list[str] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield told
        waits, _ = other.communicate("")
    told.append(f"another process wrote: {waits.strip()}")


def beside(folder: Path) -> None:
    """Write a little again and again until the input ends; then tell how long each took, in milliseconds."""
    waits: list[float] = []
    with Store.open(URL, site_dir=folder) as store:
        limits = Limits(store)
        _write(limits)
        print("ready", flush=True)
        asyncio.run(_write_on(limits, waits))
    last = quantiles(waits, n=100)[-1]
    print(f"{len(waits)} times, median {median(waits):.0f} ms, 99 % {last:.0f} ms, longest {max(waits):.0f} ms")


async def _write_on(limits: Limits, waits: list[float]) -> None:
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    while not ended.done() or len(waits) < 2:
        began = time.perf_counter()
        _write(limits)
        waits.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(PAUSE_SECONDS)


def _write(limits: Limits) -> None:
    limits.take("bench", limit=10**9, window=timedelta(days=1), now=NOW)


if __name__ == "__main__":
    main()
