"""What is counted at the server after the store or the relay went away under a sender that lives."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from newsletter.model.delivery import DeliveryState
from newsletter.store.engine import Store
from tests.deliver.killing import CONNECTIONS, READERS, Site, accounted_for, made, mailed
from tests.deliver.press import LateClock
from tests.postgres import PostgresServer
from tests.store.samples import open_ledger

pytestmark = pytest.mark.slow


@pytest.fixture
def on_postgres(fresh_postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    with made(fresh_postgres_url, tmp_path / "journals") as site:
        yield site


@contextmanager
def locked(site: Site) -> Iterator[None]:
    """Another program has a transaction open in which it wants to write."""
    path = site.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_store_locked_for_too_long_ends_the_run_and_nothing_is_in_doubt(site: Site) -> None:
    site.hold_after(60)
    with site.sender("", "0.5") as process, ExitStack() as lock:
        with site.holding():
            lock.enter_context(locked(site))
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "for too long" in out, "by the other program, or by a thread that waits for it"
    assert mailed(site) < READERS
    site.send_to_the_end()
    accounted_for(site, in_doubt=0)
    assert mailed(site) == READERS


@pytest.mark.postgres
def test_connections_that_the_database_ends_again_and_again_lose_nobody(
    on_postgres: Site, postgres_server: PostgresServer
) -> None:
    site = on_postgres
    for _ in range(2):
        if mailed(site) == READERS:
            break  # it was at no statement just then, and went on with new connections
        site.hold_after(60)
        with site.sender() as process:
            with site.holding():
                assert postgres_server.cut_off(site.url) > 0
            process.communicate(timeout=60)
    site.send_to_the_end()
    accounted_for(site, in_doubt=0)
    assert mailed(site) == READERS


@pytest.mark.postgres
def test_a_database_server_that_is_restarted_in_the_middle_loses_nobody(
    on_postgres: Site, postgres_server: PostgresServer
) -> None:
    site = on_postgres
    site.hold_after(60)
    with site.sender() as process:
        with site.holding():
            postgres_server.restart()
        process.communicate(timeout=60)
    site.send_to_the_end()
    accounted_for(site, in_doubt=0)
    assert mailed(site) == READERS


def test_a_relay_that_dies_again_and_again_leaves_only_what_it_had_in_its_hands_in_doubt(each_site: Site) -> None:
    site, kills = each_site, 2
    site.hold_after(50)
    with site.sender() as process:
        for kill in range(kills):
            with site.holding(then_after=50 if kill < kills - 1 else None):
                site.kill_the_relay()
        out, _ = process.communicate(timeout=60)
    assert out.endswith(" None\n"), "it waited for the relay"
    report = site.report()
    assert report.sent + report.unknown + report.deferred == READERS
    with Store.open(site.url, site_dir=Path("/")) as store, open_ledger(store) as ledger:
        ledger.resend(site.edition, [DeliveryState.DEFERRED], now=LateClock().now())
    site.send_to_the_end()
    accounted_for(site, in_doubt=kills * CONNECTIONS)
    assert site.report().unknown >= kills
