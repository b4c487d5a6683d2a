"""`newsletter run` on several machines that share one PostgreSQL."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.mailbox.script import Script
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Log, Program, feed_file, until
from tests.site.test_run import EACH_MINUTE

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
READERS = 300
CONNECTIONS = 4


@pytest.fixture
def machines(program: Program, partner: Partner, fresh_postgres_url: str, tmp_path: Path) -> tuple[Program, Program]:
    """The same site on two machines; an article is there, and a slot is due at once."""
    program.store = fresh_postgres_url
    partner.bodies["/feed"] = feed_of(Article(headline="The quiet contest"))
    program.configure(EACH_MINUTE, harbour=feed_file(f"{partner.url}/feed"))
    config = program.folder / "config.toml"
    relay = f'url = "smtp://127.0.0.1:{program.mailbox.port}"'
    config.write_text(config.read_text("utf-8").replace(relay, f"{relay}\nconnections = {CONNECTIONS}"), "utf-8")
    program.subscribe(*(f"reader{number}@example.org" for number in range(READERS)))
    program.json("poll")
    shutil.copytree(program.folder, tmp_path / "other")
    return program, replace(program, folder=tmp_path / "other")


def test_two_clocks_open_a_slot_once_and_of_three_senders_one_may_be_killed(machines: tuple[Program, Program]) -> None:
    one, other = machines
    one.mailbox.script = Script(delay=0.05)
    with ExitStack() as stack:
        clocks = [stack.enter_context(each.process("run", "--role", "clock")) for each in machines]
        senders = [stack.enter_context(each.process("run", "--role", "sender")) for each in (one, one, other)]
        logs = [Log(process) for process in (*clocks, *senders)]
        until(lambda: one.mailbox.counts.total() >= 20, seconds=60)
        senders[0].kill()
        senders[0].wait()
        one.mailbox.script = Script()
        until(lambda: any(log.has("edition finished") for log in logs), seconds=60)
        for process in (*clocks, *senders[1:]):
            process.terminate()
        assert [process.wait(timeout=30) for process in (*clocks, *senders[1:])] == [0] * 4
    composed = sum('"edition composed"' in line for log in logs for line in log.lines)
    (delivery,) = one.json("subscribers", "show", "reader0@example.org")["deliveries"]
    report = one.json("report", delivery["edition"])
    assert composed == 1, "one slot, one edition"
    assert set(one.mailbox.counts.values()) == {1}, "somebody got it twice"
    assert report["sent"] + report["unknown"] == report["recipients"] == READERS
    assert READERS - len(one.mailbox.counts) <= report["unknown"] <= CONNECTIONS
