"""Who composed an edition and died before all its recipients were written down leaves that to whoever works next."""

import asyncio

import pytest

from newsletter.app import App
from newsletter.site import open_site
from newsletter.store.editions import Editions
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file

READERS = 5


@pytest.fixture
def edition(program: Program, partner: Partner) -> str:
    """One for five readers, of whom the first is written down."""
    partner.bodies["/feed"] = feed_of(Article(headline="The quiet contest"))
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe(*(f"reader{number}@example.org" for number in range(READERS)))
    program.json("poll")
    app = App.open(open_site(program.folder))
    app.editions = Editions(app._store, first=1)
    composed = asyncio.run(app.compose("daily"))
    app.close()
    assert composed.recipients == 1
    assert composed.edition_id
    return composed.edition_id


@pytest.mark.parametrize("command", ["send", "tick"])
def test_whoever_sends_writes_down_and_mails_the_others(program: Program, edition: str, command: str) -> None:
    assert program.json("report", edition)["queued"] == READERS

    program.json(command)

    assert program.mailbox.counts == {f"reader{number}@example.org": 1 for number in range(READERS)}
    report = program.json("report", edition)
    assert (report["state"], report["recipients"], report["sent"]) == ("finished", READERS, READERS)


def test_what_was_sent_before_they_were_written_down_counts_in_the_same_answer(program: Program, edition: str) -> None:
    assert program.json("send", edition)["tried"]["sent"] == READERS
