"""A process that asks feeds which have nothing new, or sends, loads what it needs for that: it runs for months."""

import json
import signal
import subprocess
import sys

import pytest

from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Log, Program, feed_file

# What each is for; together they take as much memory as all that polling needs.
NOT_FOR_POLLING = {
    "aiosmtplib": "sends mail",
    "alembic": "migrates a database that is not up to date",
    "babel": "writes dates and numbers in an edition's language",
    "cryptography": "signs mail",
    "cssutils": "reads the templates' styles",
    "feedparser": "reads documents that changed",
    "jinja2": "fills templates in",
    "lxml": "reads documents that changed, and what editions are made of",
    "nh3": "cleans the text of articles",
    "premailer": "puts styles where mail programs look for them",
    "prometheus_client": "tells a monitor, if there is one",
    "rich": "draws on a terminal",
    "starlette": "serves pages",
    "uvicorn": "serves pages",
}
NOT_OF_OTHERS = {
    "sqlalchemy.dialects.postgresql": "speaks to a database that this site does not have",
    "sqlalchemy.orm": "maps objects, of which we have none",
}
NOT_FOR_SENDING = (NOT_FOR_POLLING.keys() | {"aiohttp", "requests"}) - {"aiosmtplib"}
NOT_OF_OURS = {"newsletter.mailroom", "newsletter.proofs", "newsletter.render", "newsletter.web"}
RUN = """
import atexit, json, sys
from newsletter.cli.main import main
atexit.register(lambda: print(json.dumps(sorted(sys.modules))))
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def polled(program: Program, partner: Partner) -> Program:
    """A site whose one feed was polled before and has not changed since."""
    partner.bodies["/feed"] = feed_of(Article(headline="Port reopens"))
    program.configure('schedule = "0 7 * * *"', feed=feed_file(f"{partner.url}/feed"))
    assert program.json("poll")["feeds"][0]["new"] == 1
    return program


def test_a_poll_of_unchanged_feeds_loads_nothing_that_it_has_no_use_for(polled: Program, partner: Partner) -> None:
    command = [sys.executable, "-c", RUN, "--site", str(polled.folder), "poll", "--force"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)

    assert partner.asked[-1].status == 304
    assert unneeded(ran.stdout) == set()


def test_nor_does_the_clock_that_polls_for_ever(polled: Program, partner: Partner) -> None:
    # One that is due, and has nothing to read.
    polled.configure('schedule = "0 7 * * *"', missing=feed_file(f"{partner.url}/missing"))
    command = [sys.executable, "-c", RUN, "--site", str(polled.folder), "run", "--role", "clock"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            Log(process).wait_for("feed put off")
            process.send_signal(signal.SIGTERM)
            assert process.stdout is not None
            told = process.stdout.read()
        finally:
            process.kill()

    assert unneeded(told) == set()


def test_nor_does_who_sends_an_edition_load_what_makes_one(polled: Program, partner: Partner) -> None:
    partner.bodies["/feed"] = feed_of(Article(headline="Port closes"), Article(headline="Port reopens"))
    polled.subscribe("reader@example.org")
    polled.json("poll", "--force")
    polled.json("compose", "daily")
    command = [sys.executable, "-c", RUN, "--site", str(polled.folder), "send"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)

    assert len(polled.mails("reader@example.org")) == 1
    loaded = set(json.loads(ran.stdout.splitlines()[-1]))
    assert {"aiosmtplib", "newsletter.app", "newsletter.mailroom"} <= loaded
    assert loaded & NOT_FOR_SENDING == set()


def unneeded(told: str) -> set[str]:
    loaded = set(json.loads(told.splitlines()[-1]))
    assert {"aiohttp", "newsletter.app", "newsletter.collect.poll"} <= loaded
    return loaded & (NOT_FOR_POLLING.keys() | NOT_OF_OTHERS.keys() | NOT_OF_OURS)
