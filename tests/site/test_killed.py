"""`newsletter send` killed in the middle, again and again: counted at the mail server."""

from __future__ import annotations

import random

import pytest

from newsletter.mailbox.script import Script
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file, until

READERS = 200
KILLS = 2
CONNECTIONS = 4
pytestmark = pytest.mark.slow


@pytest.fixture
def store(request: pytest.FixtureRequest) -> str:
    """SQLite, unless a test asks for PostgreSQL."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return "sqlite:///var/newsletter.db"
    return str(request.getfixturevalue("fresh_postgres_url"))


@pytest.fixture
def ready(program: Program, partner: Partner, store: str) -> Program:
    """An edition waits to be sent to everybody."""
    program.store = store
    partner.bodies["/feed"] = feed_of(Article(headline="The quiet contest"))
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    config = program.folder / "config.toml"
    relay = f'url = "smtp://127.0.0.1:{program.mailbox.port}"'
    config.write_text(config.read_text("utf-8").replace(relay, f"{relay}\nconnections = {CONNECTIONS}"), "utf-8")
    program.subscribe(*(f"reader{number}@example.org" for number in range(READERS)))
    program.json("poll")
    assert program.json("compose", "daily")["recipients"] == READERS
    return program


def mailed(program: Program) -> int:
    return program.mailbox.counts.total()


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_after_kills_everybody_has_one_mail_or_is_counted_as_unknown(ready: Program) -> None:
    luck = random.Random(20261123)
    ready.mailbox.script = Script(delay=0.02)
    for _ in range(KILLS):
        target = mailed(ready) + luck.randrange(1, 65)
        with ready.process("send") as sending:
            until(lambda: mailed(ready) >= target)  # noqa: B023
            assert sending.poll() is None
            sending.kill()
            sending.wait()
    ready.mailbox.script = Script()

    last = ready.json("send")

    assert set(ready.mailbox.counts.values()) == {1}, "somebody got it twice"
    report = ready.json("report", last["edition"])
    assert report["sent"] + report["unknown"] == report["recipients"] == READERS
    skipped = READERS - len(ready.mailbox.counts)
    assert skipped <= report["unknown"] <= KILLS * CONNECTIONS
    assert {key: last[key] for key in ("recipients", "sent", "unknown")} == {
        key: report[key] for key in ("recipients", "sent", "unknown")
    }
    assert [each["count"] for each in report["reasons"] if each["state"] == "unknown"] == [report["unknown"]]
    assert report["state"] == "finished"


def test_what_was_on_its_way_at_the_kill_is_unknown_and_goes_out_when_the_operator_says_so(ready: Program) -> None:
    ready.mailbox.script = Script(delay=3600)
    with ready.process("send") as sending:
        until(lambda: in_flight(ready) == CONNECTIONS)
        sending.kill()
        sending.wait()
    ready.mailbox.script = Script()

    report = ready.json("send")

    assert (report["unknown"], report["sent"], mailed(ready)) == (
        CONNECTIONS,
        READERS - CONNECTIONS,
        READERS - CONNECTIONS,
    )
    assert ready.json("send")["sent"] == 0, "nobody asked for a second copy"
    assert ready.json("resend", report["edition"], "--only", "unknown")["queued"] == CONNECTIONS
    assert ready.json("send")["sent"] == READERS
    assert set(ready.mailbox.counts.values()) == {1}
    assert len({mail["Message-ID"] for mail in ready.mails()}) == READERS


def in_flight(program: Program) -> int:
    edition = program.json("subscribers", "show", "reader0@example.org")["deliveries"][0]["edition"]
    return int(program.json("report", edition)["sending"])


def test_who_is_asked_to_stop_leaves_no_doubt_and_says_that_it_was_interrupted(ready: Program) -> None:
    ready.mailbox.script = Script(delay=0.02)
    with ready.process("send", "--json") as sending:
        until(lambda: mailed(ready) >= 20)
        sending.terminate()
        sending.communicate(timeout=30)
    ready.mailbox.script = Script()
    edition = ready.json("send")

    assert sending.returncode == 130
    assert (edition["sent"], edition["unknown"]) == (READERS, 0)
    assert set(ready.mailbox.counts.values()) == {1}
