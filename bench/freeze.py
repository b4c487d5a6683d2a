"""How long freezing an edition takes on SQLite, for many subscribers, one edition after the other.

Run: `python3 dev.py bench freeze --subscribers N --editions N`. By the clock, and the time of a core,
which says more where others use the machine too. Beside it: as many rows written durably by bare sqlite3, into a table
with one index.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from first import reference

from newsletter.store.engine import Store
from tests.store.samples import add_items, add_people, draft_of, freeze

AT_A_TIME = 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=100_000)
    parser.add_argument("--editions", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        with Store.open("sqlite:///newsletter.db", site_dir=Path(folder)) as store:
            subscribe(store, given.subscribers)
            for number in range(1, given.editions + 1):
                wall, core = frozen(store, number)
                print(f"edition {number}: {wall:6.2f} s, of a core {core:6.2f} s", flush=True)
        print(f"bare sqlite3: {reference(Path(folder), given.subscribers) / 1000:.2f} s")


def subscribe(store: Store, many: int) -> None:
    for first in range(0, many, AT_A_TIME):
        add_people(store, min(AT_A_TIME, many - first), first=first)


def frozen(store: Store, number: int) -> tuple[float, float]:
    """Seconds: by the clock, and of a core."""
    draft = draft_of(add_items(store, 1), edition_id=f"daily-{number:04}", number=number)
    began = time.perf_counter(), time.process_time()
    freeze(store, draft)
    return time.perf_counter() - began[0], time.process_time() - began[1]


if __name__ == "__main__":
    main()
