"""What an operator sees of mail that waits: for a provider that asked for patience, for a relay that warms up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.mailbox.script import Script
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file

READERS = [f"reader{number}@{'gmail.com' if number < 20 else 'example.org'}" for number in range(40)]


@pytest.fixture
def edition(program: Program, partner: Partner) -> str:
    partner.bodies["/feed"] = feed_of(Article(headline="The quiet contest"))
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe(*READERS)
    program.json("poll")
    return str(program.json("compose", "daily")["edition"])


def test_a_report_says_which_provider_is_waited_for_and_until_when(program: Program, edition: str) -> None:
    slow = "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail. - gsmtp"
    program.mailbox.script = Script(rcpt={each: slow for each in READERS if each.endswith("@gmail.com")})
    assert program.json("send")["sent"] == 20
    # What was leased when the first answer came gets in line when it is due.
    program.json("send")
    report = program.json("report", edition)
    [wait] = report["waits"]
    assert (wait["who"], wait["count"]) == ("provider google", report["queued"])
    assert report["queued"] + report["deferred"] == 20
    assert wait["because"].startswith("our fault: we send more, or faster")
    assert datetime.fromisoformat(wait["until"]) > datetime.now(UTC)
    assert "provider google" in program.run("report", edition).out


def test_a_report_says_when_a_relay_that_warms_up_goes_on(program: Program, edition: str) -> None:
    today = datetime.now(UTC).date()
    config = program.folder / "config.toml"
    plan = f"warm_up = [5, 5, 5]\nwarm_up_from = {today - timedelta(days=1)}\n\n[collect]"
    config.write_text(config.read_text().replace("[collect]", plan, 1))
    sent = program.json("send", code=1)
    assert sent["sent"] == 5
    assert sent["because"].startswith("relay main warms up: no more than 5 today, it goes on at ")
    [wait] = program.json("report", edition)["waits"]
    assert (wait["who"], wait["because"]) == ("relay main", sent["because"])
    assert timedelta(0) < datetime.fromisoformat(wait["until"]) - datetime.now(UTC) <= timedelta(days=1, hours=1)
