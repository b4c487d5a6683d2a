"""Workers side by side, and workers that die."""

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter.model.delivery import Claimed, DeliveryState, Report
from newsletter.model.edition import EditionState
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.tables import DeliveryRow
from tests.store.samples import NOW, claim_all, deliver, frozen, open_ledger

_WORKER = Path(__file__).with_name("worker.py")


@contextmanager
def _worker(url: str, owner: str, *, batch: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, str(_WORKER), url, owner, str(batch), NOW.isoformat()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def _mailed(process: subprocess.Popen[bytes]) -> list[int]:
    """Ids until the worker ends, which nothing holds back any more."""
    return [int(line) for line in process.communicate()[0].splitlines()]


def _some_mailed(process: subprocess.Popen[bytes], many: int) -> list[int]:
    """The ids of so many, after which the worker waits in the midst of its work."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"." * many)
    process.stdin.flush()
    return [int(process.stdout.readline()) for _ in range(many)]


def _unknown(store: Store) -> set[int]:
    with store.read() as connection:
        return set(connection.scalars(select(DeliveryRow.id).where(DeliveryRow.state == DeliveryState.UNKNOWN)))


def test_threads_that_claim_at_once_never_share_a_row(store: Store) -> None:
    edition = frozen(store, 400)

    def work(owner: str) -> list[Claimed]:
        mine: list[Claimed] = []
        with open_ledger(store) as ledger:
            while batch := claim_all(ledger, owner=owner, limit=7):
                mine += batch
                assert all(deliver(ledger, batch))
        return mine

    with ThreadPoolExecutor(4) as pool:
        claimed = list(chain.from_iterable(pool.map(work, "abcd")))
    assert len(claimed) == len({each.id for each in claimed}) == 400
    assert Editions(store).report(edition) == Report(edition=edition, recipients=400, sent=400)


def test_an_edition_cancelled_while_threads_send_it_adds_up(store: Store) -> None:
    edition = frozen(store, 1500)
    held, cancelled = threading.Event(), threading.Event()

    def work(owner: str) -> int:
        sent = 0
        with open_ledger(store) as ledger:
            while batch := claim_all(ledger, owner=owner, limit=20):
                if sent >= 80 and not held.is_set():
                    held.set()  # leased and not begun: were all the others done, this batch is still to be cancelled
                    cancelled.wait(30)
                sent += sum(deliver(ledger, batch))
        return sent

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(work, owner) for owner in "abcd"]
        held.wait(30)
        Editions(store).move(edition, EditionState.CANCELLED, now=NOW)
        cancelled.set()
        sent = sum(each.result() for each in working)
    assert Editions(store).report(edition) == Report(
        edition=edition,
        recipients=1500,
        sent=sent,
        suppressed=1500 - sent,
        reasons=((DeliveryState.SUPPRESSED, "the edition was cancelled", 1500 - sent),),
    )
    assert 80 <= sent < 1500


@pytest.mark.slow
def test_processes_that_claim_at_once_never_share_a_row(store: Store, url: str) -> None:
    edition = frozen(store, 1000)
    with ExitStack() as stack:
        workers = [stack.enter_context(_worker(url, owner, batch=10)) for owner in ("one", "two")]
        # Each has leased a batch and stands in the midst of it before either may go on.
        mailed = [_some_mailed(worker, 1) for worker in workers]
        with ThreadPoolExecutor(2) as pool:
            mailed += pool.map(_mailed, workers)
    assert Counter(chain.from_iterable(mailed)).most_common(1)[0][1] == 1
    assert Editions(store).report(edition).sent == 1000


@pytest.mark.slow
def test_workers_killed_again_and_again_mail_everyone_once_or_say_they_do_not_know(store: Store, url: str) -> None:
    edition = frozen(store, 500)
    mailed: Counter[int] = Counter()
    kills = (1, 90)
    for many in kills:
        with ExitStack() as stack:
            workers = [stack.enter_context(_worker(url, owner, batch=25)) for owner in ("one", "two")]
            for worker in workers:
                mailed.update(_some_mailed(worker, many))
                worker.kill()
        with open_ledger(store) as ledger:
            ledger.recover(now=NOW, alone=True)
    with _worker(url, "last", batch=200) as worker:
        mailed.update(_mailed(worker))
    report, in_doubt = Editions(store).report(edition), _unknown(store)
    assert report.sent + report.unknown == report.recipients == 500
    assert set(mailed.values()) == {1}
    # Lost is only what the report counts as unknown, and that is at most what was under way when two were killed.
    assert len(mailed.keys() - in_doubt) == report.sent
    assert 0 < report.unknown <= len(kills) * 2 * 25
