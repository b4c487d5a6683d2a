"""What is counted at the server after senders were killed: nobody twice, nobody skipped, every doubt named."""

import os
import random
import signal
from pathlib import Path

import pytest

from newsletter.mailbox.script import Script
from tests.deliver.killing import CONNECTIONS, READERS, Site, accounted_for, made, mailed, until
from tests.deliver.press import held


def killed_again_and_again(site: Site) -> None:
    """Kill a sender at random moments until most have their mail, and let another one send the rest."""
    luck, kills = random.Random(20261123), 0
    while mailed(site) < READERS * 0.8:
        target = mailed(site) + luck.randrange(1, 150)
        with site.sender() as process:
            until(lambda: mailed(site) >= target or process.poll() is not None)  # noqa: B023
            kills += process.poll() is None
            process.kill()
            process.wait()
    site.send_to_the_end()
    assert kills >= 3
    accounted_for(site, in_doubt=kills * CONNECTIONS)


@pytest.mark.slow
def test_after_kills_at_any_moment_everybody_has_one_mail_or_is_counted_as_unknown(each_site: Site) -> None:
    killed_again_and_again(each_site)


@pytest.mark.slow
def test_nor_is_anybody_skipped_who_is_written_down_meanwhile(each_url: str, tmp_path: Path) -> None:
    with made(each_url, tmp_path / "journals", first=20) as site:
        killed_again_and_again(site)


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
        until(lambda: held(site.server) == CONNECTIONS)
        process.kill()
        process.wait()
    site.server.script = Script()
    site.send_to_the_end()
    report = site.report()
    assert (report.unknown, report.sent) == (CONNECTIONS, READERS - CONNECTIONS)
    assert mailed(site) == READERS - CONNECTIONS


@pytest.mark.slow
def test_what_was_begun_ahead_goes_back_to_the_queue_and_what_was_answered_is_known(site: Site) -> None:
    site.hold_after(100)
    with site.sender() as process:
        until(lambda: site.waiting == CONNECTIONS)
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
    site.hold_after(100)
    with site.sender("3") as frozen_one, site.sender("3") as other:
        os.kill(other.pid, signal.SIGSTOP)
        with site.holding():
            until(lambda: site.report().sent == mailed(site))
            assert site.report().sending > CONNECTIONS, "nothing was begun ahead"
            os.kill(frozen_one.pid, signal.SIGSTOP)
        os.kill(other.pid, signal.SIGCONT)
        until(lambda: site.report().sending == 0)
        os.kill(frozen_one.pid, signal.SIGCONT)
        for process in (other, frozen_one):
            process.communicate(timeout=60)
    report = site.report()
    assert set(site.server.counts.values()) == {1}, "somebody got it twice"
    assert (report.sent, report.unknown, mailed(site)) == (READERS, 0, READERS)
