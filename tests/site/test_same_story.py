"""People on several lists: nobody reads the same story twice, and what they prefer is obeyed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.mailbox.server import MailboxServer
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file, part

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
SEA, LAND, SKY = "The quiet contest", "A field of stones", "Clouds over Karrow"
MORE = """
[lists.evening]
title = "The Evening"

[digests.evening]
list = "evening"
feeds = ["sea", "sky"]
already_sent = "{already_sent}"
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/newsletter.db"
    url: str = request.getfixturevalue("fresh_postgres_url")
    return url


@pytest.fixture
def two_lists(partner: Partner, mailbox: MailboxServer, tmp_path: Path, stored: str) -> Program:
    """Ann and Bob on the daily brief, Ann and Eve on the evening list; the brief was sent with a story of each."""
    program = Program(tmp_path / "site", mailbox, web_port=8080, store=stored, now=NOON)
    for name, headline in (("sea", SEA), ("land", LAND), ("sky", SKY)):
        partner.bodies[f"/{name}"] = feed_of(Article(headline=headline, guid=name, published_at=NOON.replace(hour=9)))
    return program


def start(program: Program, partner: Partner, *, already_sent: str = "leave-out") -> None:
    feeds = {name: feed_file(f"{partner.url}/{name}", partner=name.title()) for name in ("sea", "land", "sky")}
    program.configure(
        '[[digests.daily.sections]]\nfeeds = ["sea", "land"]', more=MORE.format(already_sent=already_sent), **feeds
    )
    for address, lists in (("ann", ("brief", "evening")), ("bob", ("brief",)), ("eve", ("evening",))):
        for each in lists:
            program.json(
                *("subscribers", "add", f"{address}@example.org", "--list", each, "--confirmed", "--source", "a test")
            )
    program.json("poll")
    program.json("compose", "daily")
    program.json("send")


def texts(program: Program, address: str) -> list[str]:
    return [part(mail, "plain") for mail in program.mails(f"{address}@example.org")]


def test_a_story_that_somebody_had_on_one_list_is_left_out_of_the_next(two_lists: Program, partner: Partner) -> None:
    start(two_lists, partner)
    edition = two_lists.json("compose", "evening")
    assert (edition["items"], edition["recipients"]) == (2, 2)
    two_lists.json("send")

    first, second = texts(two_lists, "ann")
    assert SEA in first
    assert SEA not in second
    assert SKY in second
    assert SEA in texts(two_lists, "eve")[0]
    report = two_lists.json("report", edition["edition"])
    counts = {name: report[name] for name in ("sent", "variants", "left_out", "shortened", "not_sent", "nearest")}
    assert counts == {"sent": 2, "variants": 2, "left_out": 1, "shortened": 0, "not_sent": 0, "nearest": 0}

    out = two_lists.folder / "look"
    two_lists.json("preview", edition["edition"], "--as", "ann@example.org", "--out", str(out))
    assert SEA not in (out / "edition.txt").read_text("utf-8")
    two_lists.json("preview", edition["edition"], "--out", str(out))
    assert SEA in (out / "edition.txt").read_text("utf-8")


def test_a_digest_may_show_it_as_no_more_than_a_headline(two_lists: Program, partner: Partner) -> None:
    start(two_lists, partner, already_sent="shorten")
    edition = two_lists.json("compose", "evening")["edition"]
    two_lists.json("send")
    (_, second), (whole,) = two_lists.mails("ann@example.org"), texts(two_lists, "eve")
    text = part(second, "plain")
    assert text.index(SKY) < text.index(SEA)
    assert len(text) < len(whole)
    assert second["Subject"] == SKY
    report = two_lists.json("report", edition)
    assert (report["left_out"], report["shortened"]) == (0, 1)


def test_who_would_get_nothing_new_is_not_written_to_and_that_is_counted(two_lists: Program, partner: Partner) -> None:
    start(two_lists, partner)
    config = two_lists.folder / "config.toml"
    config.write_text(config.read_text("utf-8").replace('feeds = ["sea", "sky"]', 'feeds = ["sea"]'), "utf-8")
    edition = two_lists.json("compose", "evening")["edition"]
    two_lists.json("send")
    assert len(texts(two_lists, "ann")) == 1
    assert len(texts(two_lists, "eve")) == 1
    report = two_lists.json("report", edition)
    assert (report["recipients"], report["sent"], report["suppressed"], report["not_sent"]) == (2, 1, 1, 1)
    assert "not sent" in two_lists.run("report", edition).out
    answer = two_lists.json("preview", edition, "--as", "ann@example.org", "--out", str(two_lists.folder / "look"))
    assert answer["warnings"] == ["not sent to this reader: nothing in it that was not sent to this reader before"]
