"""Several machines share one PostgreSQL: one dies for good, one is frozen beyond its lease, and the rest go on."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deliver.killing import CONNECTIONS, Site, accounted_for, made, mailed, until

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
READERS = 900  # more than two of them take at once, so that each has something in its hands
LEASE = "4"


@contextmanager
def held_from_the_start(site: Site) -> Iterator[None]:
    site.hold_after(0)
    yield


def test_one_machine_dies_one_freezes_and_nobody_gets_it_twice_or_is_skipped(
    fresh_postgres_url: str, tmp_path: Path
) -> None:
    with (
        made(fresh_postgres_url, tmp_path / "journals", readers=READERS) as site,
        held_from_the_start(site),
        site.sender(LEASE, machine="a") as dies,
        site.sender(LEASE, machine="b") as freezes,
        site.sender(LEASE, machine="c") as lives,
    ):
        with site.holding(senders=3):
            until(lambda: site.report().sending >= 3 * CONNECTIONS)
            dies.kill()
            dies.wait()
            os.kill(freezes.pid, signal.SIGSTOP)
            begun = site.report().sending
        said, _ = lives.communicate(timeout=60)
        assert said.endswith(" None\n"), "it had everything to do that the others left"
        assert mailed(site) > READERS / 2
        os.kill(freezes.pid, signal.SIGCONT)
        freezes.communicate(timeout=60)
        site.send_to_the_end()
        # Nobody can read the journal of a machine that does not come back: all it had begun may have gone out.
        accounted_for(site, in_doubt=begun - CONNECTIONS)
        report = site.report()
    assert report.reasons[0][1:] == ("the program stopped before the server's answer was kept", report.unknown)
