"""`newsletter run` as systemd starts, watches and stops it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import pytest

from newsletter.mailbox.script import Script
from tests.ports import free_port
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Log, Program, asked, feed_file, until

READERS = 1000
"""More than are mailed while the pages start, by a relay that takes its time."""
EACH_MINUTE = 'schedule = "* * * * *"\ncatch_up = "2m"'
pytestmark = pytest.mark.slow


@pytest.fixture
def ready(program: Program, partner: Partner) -> Program:
    """An article is there, and a slot is due at once."""
    partner.bodies["/feed"] = feed_of(Article(headline="The quiet contest"))
    program.configure(EACH_MINUTE, harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe(*(f"reader{number}@example.org" for number in range(READERS)))
    program.json("poll")
    return program


@contextmanager
def notified(folder: Path) -> Iterator[tuple[dict[str, str], list[str]]]:
    """What systemd puts into the environment, and what it was told when the block has ended."""
    path, told = folder / "notify", list[str]()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, ThreadPoolExecutor(1) as reading:
        systemd.bind(str(path))

        def read() -> None:
            while (state := systemd.recv(4096)) != b"END":
                told.append(state.decode())

        done = reading.submit(read)
        yield {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000"}, told
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"END", str(path))
        done.result(timeout=10)


def serving(running: subprocess.Popen[str]) -> int:
    """The process that serves its pages."""
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    commands = {int(child): Path(f"/proc/{child}/cmdline").read_text() for child in children}
    return next(child for child, command in commands.items() if "newsletter.cli.pages" in command)


def mailed(program: Program) -> int:
    return program.mailbox.counts.total()


def test_it_composes_sends_serves_is_watched_and_drains_when_it_is_stopped(ready: Program, tmp_path: Path) -> None:
    ready.mailbox.script = Script(delay=0.25)
    with notified(tmp_path) as (environment, told), ready.process("run", environment=environment) as running:
        log = Log(running)
        until(lambda: mailed(ready) >= 10)
        archive, probe = asked(f"{ready.base_url}/archive/brief"), asked(f"{ready.base_url}/healthz")
        second = ready.run("run", "--json")
        by_hand = ready.run("send", "--json")
        started = time.monotonic()
        running.terminate()
        assert running.wait(timeout=30) == 0, log.lines[-5:]
    took = time.monotonic() - started
    seen = mailed(ready)
    ready.mailbox.script = Script()

    assert "The quiet contest" in archive.text
    assert probe.status == 200
    assert (second.code, by_hand.code) == (3, 3)
    assert took < 25, "it ended by itself, before its drain was cut short"
    assert [state for state in told if state != "WATCHDOG=1"] == ["READY=1", "STOPPING=1"]
    assert told.count("WATCHDOG=1") >= 2
    edition = ready.json("subscribers", "show", "reader0@example.org")["deliveries"][0]["edition"]
    report = ready.json("report", edition)
    assert (report["sent"], report["sending"], report["unknown"]) == (seen, 0, 0), "all that was begun was answered"
    assert 10 <= seen < READERS
    assert report["queued"] == READERS - seen
    assert ready.json("send")["sent"] == READERS
    assert set(ready.mailbox.counts.values()) == {1}


def test_its_parts_may_be_processes_of_their_own_and_a_slow_feed_holds_none_up(
    ready: Program, partner: Partner
) -> None:
    partner.slow.add("/slow")
    (ready.folder / "feeds" / "slow.toml").write_text(feed_file(f"{partner.url}/slow"), encoding="utf-8")
    with ready.process("run", "--role", "clock") as clock, ready.process("run", "--role", "web") as web:
        logs = Log(clock), Log(web)
        logs[0].wait_for("edition composed")
        until(lambda: any(asked.path == "/slow" for asked in partner.asked))
        logs[1].wait_for("clock started")
        assert mailed(ready) == 0, "the clock sends nothing"
        with ready.process("run", "--role", "sender") as sender:
            Log(sender)
            until(lambda: mailed(ready) == READERS)
            assert ready.run("run", "--role", "sender").code == 3, "a file has one sender"
            assert asked(f"{ready.base_url}/archive/brief/1").status == 200
            started = time.monotonic()
            for process in (clock, web, sender):
                process.terminate()
            assert [process.wait(timeout=30) for process in (clock, web, sender)] == [0, 0, 0]

    assert time.monotonic() - started < 25
    assert set(ready.mailbox.counts.values()) == {1}
    slow = next(feed for feed in ready.json("feeds", "list")["feeds"] if feed["feed"] == "slow")
    assert (slow["failures"], slow["last_try_at"]) == (0, None)


@pytest.mark.parametrize("role", ["all", "web"])
def test_it_says_once_where_its_pages_are(program: Program, role: str) -> None:
    program.configure(
        more=f'[metrics]\nlisten = "127.0.0.1:{free_port()}"', harbour=feed_file("http://127.0.0.1:9/feed")
    )
    with program.process("run", "--role", role) as running:
        log = Log(running)
        log.wait_for("clock started")
        lines = [json.loads(line) for line in log.lines if "pages served" in line]
        told = {line["setting"]: line["at"] for line in lines}
        assert told["[web] listen"] == program.base_url
        assert [asked(f"{at}/healthz").status for at in told.values()] == [200, 200]
        running.terminate()
        assert running.wait(timeout=60) == 0
    assert sum("pages served" in line for line in log.lines) == 2


def test_a_terminal_is_told_where_the_pages_are_in_readable_words(program: Program) -> None:
    program.configure(harbour=feed_file("http://127.0.0.1:9/feed"))
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "newsletter", "--site", str(program.folder), "run", "--role", "web"]
    with subprocess.Popen(command, stderr=theirs) as running, os.fdopen(ours) as terminal:
        lines = list(takewhile(lambda line: "clock started" not in line, terminal))
        running.terminate()
        assert running.wait(timeout=60) == 0
    os.close(theirs)
    (told,) = [line for line in lines if "pages served" in line]
    assert f"at={program.base_url}" in re.sub("\x1b\\[[0-9;]*m", "", told)


def test_pages_that_die_end_the_program_so_that_whoever_watches_it_starts_both_anew(ready: Program) -> None:
    with ready.process("run") as running:
        log = Log(running)
        log.wait_for("clock started")
        assert asked(f"{ready.base_url}/healthz").status == 200
        os.kill(serving(running), signal.SIGKILL)
        assert running.wait(timeout=60) == 1, log.lines[-5:]
        log.wait_for(
            "error: the process that serves pages was killed, as the system does where memory runs out (SIGKILL)"
        )


def test_pages_end_with_the_program_whatever_ended_it(ready: Program) -> None:
    with ready.process("run") as running:
        Log(running).wait_for("clock started")
        assert asked(f"{ready.base_url}/healthz").status == 200
        pages = serving(running)
        running.kill()
        running.wait(timeout=60)
        until(lambda: not Path(f"/proc/{pages}").exists() or "State:\tZ" in Path(f"/proc/{pages}/status").read_text())

    with ready.process("run") as again:
        Log(again).wait_for("clock started")
        assert asked(f"{ready.base_url}/healthz").status == 200
        again.terminate()
        assert again.wait(timeout=60) == 0


def test_an_interrupt_at_the_terminal_ends_it_too(ready: Program) -> None:
    with ready.process("run", "--role", "web") as running:
        Log(running).wait_for("clock started")
        running.send_signal(2)
        assert running.wait(timeout=10) == 0


def test_a_port_that_is_taken_is_told_before_anything_begins(ready: Program) -> None:
    with socket.create_server(("127.0.0.1", ready.web_port)):
        answer = ready.run("run", "--json")

    assert answer.code == 2, answer.err
    assert f"127.0.0.1:{ready.web_port}" in answer.json["error"]["message"]
    assert mailed(ready) == 0
