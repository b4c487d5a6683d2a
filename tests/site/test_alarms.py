"""What an operator sees when mail is refused for a reason that is our own."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from newsletter.app import App
from newsletter.mailbox.script import Script
from newsletter.site import open_site
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Log, Program, feed_file
from tests.site.test_run import notified

READERS = [f"reader{number}@{'gmail.com' if number < 20 else 'example.org'}" for number in range(40)]
SINCE = "our fault: the message is too large: shorten the edition [too-large]"


@pytest.fixture
def edition(program: Program, partner: Partner) -> str:
    partner.bodies["/feed"] = feed_of(Article(headline="The quiet contest"))
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe(*READERS)
    program.json("poll")
    return str(program.json("compose", "daily")["edition"])


def refused(program: Program, words: str, *, by: str = "") -> None:
    program.mailbox.script = Script(data={each: words for each in READERS if each.endswith(by)})


def test_an_edition_that_is_refused_is_paused_and_every_command_says_so(program: Program, edition: str) -> None:
    refused(program, "552 5.3.4 Message size exceeds fixed limit")
    sent = program.json("send", code=1)
    report = program.json("report", edition)
    assert sent["alarms"][0].startswith(f"edition {edition} paused: {SINCE}")
    assert f"newsletter resume {edition}" in sent["alarms"][0]
    assert (report["state"], report["state_because"]) == ("paused", SINCE)
    assert f"paused: {SINCE}" in program.run("report", edition).out
    assert report["failed"] + report["queued"] == len(READERS)
    assert program.run("send", edition).code == 1, "a paused edition is not sent"
    assert program.json("subscribers", "show", READERS[0])["suppression"] is None

    program.mailbox.script = Script()
    program.json("resume", edition)
    assert program.json("resend", edition, "--only", "failed")["queued"] == report["failed"]
    assert program.json("send")["sent"] == len(READERS)
    assert set(program.mailbox.counts.values()) == {1}


def test_a_provider_that_refuses_us_is_left_alone_for_a_while(program: Program, edition: str) -> None:
    refused(program, "550 5.7.1 messages from [192.0.2.1] weren't sent. They are on our block list", by="@gmail.com")
    sent = program.json("send", code=1)
    assert [each.split(":")[0] for each in sent["alarms"]] == ["provider google paused"]
    assert program.json("report", edition)["state"] in {"approved", "finished"}
    assert program.json("resume", "--provider", "google") == {"provider": "google", "resumed": True}
    assert program.json("resume", "--provider", "google") == {"provider": "google", "resumed": False}
    assert program.run("resume").code == 2


class Ahead(asyncio.SelectorEventLoop):
    """An event loop on which time can be let pass."""

    seconds = 0.0

    def time(self) -> float:
        return super().time() + self.seconds


def test_a_relay_that_refuses_everybody_is_left_alone_for_minutes_and_then_tried_once(
    program: Program, edition: str
) -> None:
    refused(program, "554 5.7.1 <reader@brief.example>: Relay access denied")
    loop = Ahead()
    with (
        contextlib.closing(App.open(open_site(program.folder))) as app,
        asyncio.Runner(loop_factory=lambda: loop) as on,
    ):

        def tried() -> int:
            return on.run(app.send_due(asyncio.Event()))

        first = tried()
        with time_machine.travel(datetime.now(UTC) + timedelta(days=1), tick=True):
            assert (first > 0, tried()) == (True, 0), "it rests, whatever the clock says"
        loop.seconds = 301
        assert tried() == 1
        program.mailbox.script = Script()
        assert tried() == 0, "it rests again"
        loop.seconds = 602
        assert tried() > 0
        assert app.dispatch.unfit == ()
        assert app.editions.report(edition).queued == 0


def test_who_sends_by_hand_need_not_wait_until_a_pause_is_over(program: Program, edition: str) -> None:
    refused(program, "554 5.7.1 <reader@brief.example>: Relay access denied")
    with contextlib.closing(App.open(open_site(program.folder))) as app, asyncio.Runner() as on:
        assert on.run(app.send_due(asyncio.Event())) > 0
        program.mailbox.script = Script()
        assert on.run(app.send_due(asyncio.Event())) == 0
        on.run(app.dispatch.send())
        assert app.editions.report(edition).sent > 0


def test_systemd_and_the_log_are_told(program: Program, edition: str) -> None:
    refused(program, "552 5.3.4 Message size exceeds fixed limit")
    with (
        notified(program.folder) as (environment, told),
        program.process("run", "--role", "sender", environment=environment) as running,
    ):
        log = Log(running)
        log.wait_for('"sending paused"')
        log.wait_for("run of deliveries ended")
        running.terminate()
        assert running.wait(timeout=30) == 0
    (line,) = [line for line in log.lines if "sending paused" in line]
    assert '"error"' in line
    assert edition in line
    assert not [address for address in READERS if address in "".join(log.lines)]
    assert [state for state in told if state.startswith(f"STATUS=edition {edition} paused: {SINCE}")]
