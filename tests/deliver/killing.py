"""A sender in a process of its own, a relay that counts, and the store between them: what dies is up to a test."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from newsletter.mailbox.script import Script
from newsletter.mailbox.server import MailboxServer, MailboxThread
from newsletter.model.delivery import Report
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from tests.store.samples import frozen

ROOT = Path(__file__).parents[2]
READERS = 400
CONNECTIONS = 4


class After(asyncio.Event):
    """Is waited for by nobody until so many have gone by."""

    def __init__(self, many: int) -> None:
        super().__init__()
        self._free = many
        self.waiting = 0

    async def wait(self) -> Literal[True]:
        if self._free > 0:
            self._free -= 1
            return True
        self.waiting += 1
        return await super().wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    url: str
    edition: str
    relay: MailboxThread
    journals: Path
    readers: int = READERS

    @property
    def server(self) -> MailboxServer:
        return self.relay.server

    def report(self) -> Report:
        with Store.open(self.url, site_dir=Path("/")) as store:
            return Editions(store).report(self.edition)

    @contextmanager
    def sender(self, *more: str, machine: str = "") -> Iterator[subprocess.Popen[str]]:
        """`more` are the sender's further arguments: seconds of lease, of patience with locks, and of being ahead.

        What is on one machine shares its journals.
        """
        words = (self.url, str(self.server.port), str(CONNECTIONS), str(self.journals / machine), *more)
        command = [sys.executable, "-m", "tests.deliver.sender", *words]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def send_to_the_end(self) -> str:
        with self.sender("", "", "120") as process:
            out, _ = process.communicate(timeout=60)
        return out.strip().splitlines()[-1]

    def hold_after(self, many: int) -> None:
        """Let the relay answer so many messages from now on, and then none."""
        self.server.script = Script(hold=After(many))

    @property
    def waiting(self) -> int:
        """How many messages the relay has in its hands."""
        hold = self.server.script.hold
        return hold.waiting if isinstance(hold, After) else 0

    @contextmanager
    def holding(self, *, senders: int = 1, then_after: int | None = None) -> Iterator[None]:
        """The relay has a message of each connection in its hands, and answers when the block ends."""
        hold = self.server.script.hold
        assert hold is not None
        until(lambda: self.waiting == senders * CONNECTIONS)
        try:
            yield
        finally:
            self.server.script = Script(hold=None if then_after is None else After(then_after))
            self.relay._loop.call_soon_threadsafe(hold.set)

    def kill_the_relay(self) -> None:
        """Cut every connection as a machine that dies does, and let the relay come back."""
        self.relay._run(self.server.stop())
        self.relay._run(self.server.start())


@contextmanager
def made(url: str, journals: Path, *, readers: int = READERS, first: int = READERS) -> Iterator[Site]:
    """`first` readers are written down with the edition, the others are left to senders."""
    with Store.open(url, site_dir=Path("/")) as store:
        edition = frozen(store, readers, first=first)
    relay = MailboxThread()
    with relay:
        yield Site(url=url, edition=edition, relay=relay, journals=journals, readers=readers)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.0005)


def mailed(site: Site) -> int:
    return site.server.counts.total()


def accounted_for(site: Site, *, in_doubt: int) -> None:
    """Lost 0, twice 0, unknown at most so many; and the report says so."""
    report = site.report()
    readers = {f"reader-{number}@brief.example" for number in range(site.readers)}
    assert set(site.server.counts.values()) == {1}, "somebody got it twice"
    assert report.sent + report.unknown == report.recipients == site.readers
    assert len(readers - site.server.counts.keys()) <= report.unknown, "somebody was skipped"
    assert report.unknown <= in_doubt
