"""What is counted at the server after senders were killed: nobody twice, nobody skipped, every doubt named."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from newsletter.mailbox.script import Script
from newsletter.mailbox.server import MailboxServer, MailboxThread
from newsletter.model.delivery import Report
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from tests.deliver.press import held
from tests.store.samples import frozen

ROOT = Path(__file__).parents[2]
READERS = 400
CONNECTIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    url: str
    edition: str
    server: MailboxServer
    journals: Path

    def report(self) -> Report:
        with Store.open(self.url, site_dir=Path("/")) as store:
            return Editions(store).report(self.edition)

    @contextmanager
    def sender(self, *more: str) -> Iterator[subprocess.Popen[str]]:
        words = (self.url, str(self.server.port), str(CONNECTIONS), str(self.journals), *more)
        command = [sys.executable, "-m", "tests.deliver.sender", *words]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def send_to_the_end(self) -> str:
        with self.sender() as process:
            out, _ = process.communicate(timeout=60)
        return out.strip().splitlines()[-1]


@contextmanager
def made(url: str, journals: Path) -> Iterator[Site]:
    with Store.open(url, site_dir=Path("/")) as store:
        edition = frozen(store, READERS)
    with MailboxThread() as server:
        yield Site(url=url, edition=edition, server=server, journals=journals)


@pytest.fixture
def site(url: str, tmp_path: Path) -> Iterator[Site]:
    with made(url, tmp_path / "journals") as site:
        yield site


@pytest.fixture
def each_site(each_url: str, tmp_path: Path) -> Iterator[Site]:
    with made(each_url, tmp_path / "journals") as site:
        yield site


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.0005)


def mailed(site: Site) -> int:
    return site.server.counts.total()


@pytest.mark.slow
def test_after_kills_at_any_moment_everybody_has_one_mail_or_is_counted_as_unknown(each_site: Site) -> None:
    site, luck, kills = each_site, random.Random(20261123), 0
    while mailed(site) < READERS * 0.8:
        target = mailed(site) + luck.randrange(1, 150)
        with site.sender() as process:
            until(lambda: mailed(site) >= target or process.poll() is not None)  # noqa: B023
            kills += process.poll() is None
            process.kill()
            process.wait()
    site.send_to_the_end()

    report = site.report()
    readers = {f"reader-{number}@brief.example" for number in range(READERS)}
    assert kills >= 3
    assert set(site.server.counts.values()) == {1}, "somebody got it twice"
    assert report.sent + report.unknown == report.recipients == READERS
    assert len(readers - site.server.counts.keys()) <= report.unknown, "somebody was skipped"
    assert report.unknown <= kills * CONNECTIONS


@pytest.mark.slow
def test_a_sender_that_is_asked_to_stop_leaves_no_doubt_at_all(site: Site) -> None:
    with site.sender() as process:
        until(lambda: mailed(site) >= 30)
        process.terminate()
        out, _ = process.communicate(timeout=30)
    report = site.report()
    assert out.endswith(" stopped\n")
    assert (report.unknown, report.sending) == (0, 0)
    assert report.sent == mailed(site) < READERS

    site.send_to_the_end()
    assert site.report().sent == READERS
    assert set(site.server.counts.values()) == {1}


@pytest.mark.slow
def test_a_sender_killed_before_the_answer_leaves_exactly_what_was_in_flight_in_doubt(site: Site) -> None:
    site.server.script = Script(delay=3600)
    with site.sender() as process:
        until(lambda: site.report().sending == CONNECTIONS)
        process.kill()
        process.wait()
    site.server.script = Script()
    site.send_to_the_end()
    report = site.report()
    assert (report.unknown, report.sent) == (CONNECTIONS, READERS - CONNECTIONS)
    assert mailed(site) == READERS - CONNECTIONS


@pytest.mark.slow
def test_what_was_begun_ahead_goes_back_to_the_queue_and_what_was_answered_is_known(site: Site) -> None:
    with site.sender() as process:
        until(lambda: mailed(site) >= 100)
        site.server.script = Script(delay=3600)
        until(lambda: held(site.server) == CONNECTIONS)
        begun = site.report().sending
        process.kill()
        process.wait()
    site.server.script = Script()
    before = mailed(site)
    site.send_to_the_end()
    report = site.report()
    assert begun > CONNECTIONS, "nothing was begun ahead"
    assert (report.unknown, report.sent) == (CONNECTIONS, READERS - CONNECTIONS)
    assert mailed(site) == READERS - CONNECTIONS > before
    assert set(site.server.counts.values()) == {1}
    assert not list(site.journals.iterdir())


@pytest.mark.slow
def test_a_sender_that_was_frozen_beyond_its_lease_sends_nothing_it_no_longer_owns(each_site: Site) -> None:
    site = each_site
    with site.sender("3") as frozen_one, site.sender("3") as other:
        os.kill(other.pid, signal.SIGSTOP)
        until(lambda: mailed(site) >= 100)
        site.server.script = Script(delay=8)
        until(lambda: held(site.server) == CONNECTIONS)
        until(lambda: site.report().sent == mailed(site))
        assert site.report().sending > CONNECTIONS, "nothing was begun ahead"
        os.kill(frozen_one.pid, signal.SIGSTOP)
        site.server.script = Script()
        os.kill(other.pid, signal.SIGCONT)
        until(lambda: site.report().sending == 0)
        os.kill(frozen_one.pid, signal.SIGCONT)
        for process in (other, frozen_one):
            process.communicate(timeout=60)
    report = site.report()
    assert set(site.server.counts.values()) == {1}, "somebody got it twice"
    assert (report.sent, report.unknown, mailed(site)) == (READERS, 0, READERS)
