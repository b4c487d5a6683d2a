"""What `newsletter send` shows while it works: a line on a terminal, nothing in a pipe."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from newsletter.cli.send import noted
from newsletter.deliver.tally import Counts
from newsletter.mailbox.script import Script
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file

MANY = 150


@pytest.fixture
def ready(program: Program, partner: Partner) -> Program:
    partner.bodies["/feed"] = feed_of(Article(headline="The quiet contest"))
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe(*(f"reader{number}@example.org" for number in range(MANY)))
    program.json("poll")
    program.json("compose", "daily")
    program.mailbox.script = Script(delay=0.03, rcpt={"reader7@example.org": "451 4.3.0 later"})
    return program


def test_what_is_noted_is_the_rate_and_what_occurs() -> None:
    counts = Counts(sent=12_345, deferred=2, unfit=("main",))
    assert noted(counts, per_second=1234.5) == "1,234/s, 12,345 sent, 2 deferred, relay main is away"


def test_on_a_terminal_it_shows_how_far_and_how_fast_and_leaves_the_logs_whole(ready: Program) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "newsletter", "--site", str(ready.folder), "send"]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "200", "NEWSLETTER_LOG_LEVEL": "info"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as sending:
        os.close(theirs)
        shown = _read(ours)
        assert sending.wait(timeout=30) == 0
    os.close(ours)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert re.search(rf"sending .*\d+/{MANY} .*\d/s, \d+ sent", plain)
    assert "1 deferred" in plain
    assert re.search(r"\n\S+ \[info +\] run of deliveries ended", plain.replace("\r", "\n")), "a line of its own"


def _read(file: int) -> str:
    said = b""
    while True:
        try:
            more = os.read(file, 65536)
        except OSError:  # what a terminal says when nobody is left at the other end
            return said.decode()
        if not more:
            return said.decode()
        said += more


def test_in_a_pipe_there_is_nothing_but_logs(ready: Program) -> None:
    with ready.process("send") as sending:
        _, said = sending.communicate(timeout=60)
    assert sending.returncode == 0
    assert {line[0] for line in said.splitlines()} == {"{"}
    assert "\x1b" not in said
