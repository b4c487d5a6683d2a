"""What the ledger alone bears: leased, begun and recorded deliveries a second, by several workers on one store.

Run: `python3 dev.py bench ledger --messages N --workers N… --batch N`. On SQLite, and on the PostgreSQL that comes
with the development packages, which syncs its log to disk here as it does in service. No mail leaves. Seconds depend
on the machine; transactions and bytes for each message do not, and these say what a server must bear.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg

from newsletter.store.engine import Store
from newsletter.store.ledger import Ledger
from tests.postgres import IN_SERVICE, running_server
from tests.store.samples import NOW, claim_all, frozen, open_ledger, outcome


def work(ledger: Ledger, owner: str, batch: int) -> int:
    done = 0
    while claimed := claim_all(ledger, owner=owner, limit=batch):
        ledger.begin_all(claimed, now=NOW).result()
        ledger.record_all([outcome(one, because="accepted") for one in claimed], now=NOW).result()
        done += len(claimed)
    return done


def measured(url: str, *, messages: int, workers: int, batch: int) -> float:
    """Messages a second; each worker has a store of its own, as a process has."""
    with Store.open(url, site_dir=Path("/")) as store:
        frozen(store, messages)
    with ExitStack() as stack, ThreadPoolExecutor(workers) as threads:
        stores = [stack.enter_context(Store.open(url, site_dir=Path("/"))) for _ in range(workers)]
        ledgers = [stack.enter_context(open_ledger(store)) for store in stores]
        before = time.perf_counter()
        done = sum(threads.map(lambda at: work(ledgers[at], f"worker {at}", batch), range(workers)))
        took = time.perf_counter() - before
    assert done == messages
    return messages / took


def in_log(url: str) -> tuple[int, int]:
    """(bytes of log, transactions) of a database server so far."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        row = connection.execute(
            "SELECT pg_current_wal_lsn() - '0/0', sum(xact_commit) FROM pg_stat_database GROUP BY 1"
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def rows_bytes(url: str) -> int:
    """What the deliveries take on disk, with their indexes, once dead rows are gone."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM FULL deliveries")
        row = connection.execute("SELECT pg_total_relation_size('deliveries')").fetchone()
    assert row is not None
    return int(row[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--batch", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        url = f"sqlite:///{folder}/newsletter.db"
        rate = measured(url, messages=given.messages, workers=1, batch=given.batch)
        print(f"SQLite,     1 worker : {rate:9,.0f} messages/s")
    with running_server(settings=IN_SERVICE) as server:
        for workers in given.workers:
            with server.fresh_database() as url:
                Store.open(url, site_dir=Path("/")).close()
                log, transactions = in_log(url)
                rate = measured(url, messages=given.messages, workers=workers, batch=given.batch)
                log_after, transactions_after = in_log(url)
                kept = rows_bytes(url) / given.messages
            each = (log_after - log) / given.messages
            commits = (transactions_after - transactions) / given.messages * 1000
            print(
                f"PostgreSQL, {workers} worker{'s' if workers > 1 else ' '}: {rate:9,.0f} messages/s, "
                f"{commits:.0f} transactions for 1,000; a message is {each:,.0f} bytes of log (freezing included) "
                f"and {kept:,.0f} bytes that are kept"
            )


if __name__ == "__main__":
    main()
