"""From an empty folder to a reader who leaves, by the commands alone."""

from __future__ import annotations

import re
from pathlib import Path

from newsletter.mailbox.server import MailboxServer
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, asked, feed_file, part

LONG = (
    "<p>The dredgers came in April. Nobody had sent for them, and nobody sent them away.</p>"
    "<h2>What they are for</h2>"
    "<p>On paper it is maintenance. On the chart it is a border.</p>"
    "<ul><li>the old channel</li><li>the new one</li></ul>"
    "<p>In five years the deep water will be somewhere else.</p>"
)


def two_articles() -> bytes:
    return feed_of(
        Article(headline="The quiet contest", body=LONG, dek="Two neighbours dredge.", byline="Ilse Okonedo"),
        Article(headline="Lighthouses hire again", body="<p>Four hundred people answered. One got the post.</p>"),
    )


def test_the_starter_is_a_site_without_faults(tmp_path: Path, mailbox: MailboxServer) -> None:
    program = Program(tmp_path / "mine", mailbox, web_port=0)

    assert program.run("init", str(program.folder)).code == 0

    assert program.run("check").code == 0


def test_an_edition_reaches_every_subscriber_once_and_no_item_comes_twice(program: Program, partner: Partner) -> None:
    partner.bodies["/feed"] = two_articles()
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe("ann@example.org", "bob@example.org", "eve@example.org")
    assert program.json("poll")["feeds"][0]["new"] == 2

    composed = program.json("compose", "daily")

    assert (composed["items"], composed["recipients"], composed["number"]) == (2, 3, 1)
    report = program.json("send")
    assert (report["sent"], report["recipients"]) == (3, 3)
    assert program.mailbox.counts == {"ann@example.org": 1, "bob@example.org": 1, "eve@example.org": 1}
    again = program.json("compose", "daily", code=1)
    assert again["edition"] is None
    assert "nothing new" in again["because"]
    assert program.json("send")["sent"] == 0
    assert program.mailbox.counts.total() == 3


def test_a_full_republication_carries_article_subheads_credit_line_and_canonical_link(
    program: Program, partner: Partner
) -> None:
    partner.bodies["/feed"] = feed_of(
        Article(headline="The quiet contest", body=LONG, link="https://partner.example/contest/?utm_source=rss")
    )
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe("ann@example.org")
    program.json("poll")
    program.json("compose", "daily")
    program.json("send")

    (mail,) = program.mails()

    for subtype in ("html", "plain"):
        text = part(mail, subtype)
        assert "What they are for" in text
        assert "In five years the deep water will be somewhere else." in text
        assert "Republished with permission from The Harbour Institute." in text
        assert "https://partner.example/contest/" in text
        assert "utm_source" not in text
    assert mail["Subject"] == "The quiet contest"


def test_one_click_leaves_at_once_and_for_good(program: Program, partner: Partner) -> None:
    partner.bodies["/feed"] = two_articles()
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe("ann@example.org", "bob@example.org")
    program.json("poll")
    program.json("compose", "daily")
    program.json("send")
    (mail,) = program.mails("ann@example.org")
    found = re.search(r"<(http://127\.0\.0\.1:\d+/u/[a-z0-9]+)>", str(mail["List-Unsubscribe"]))
    assert found
    with program.web():
        looked = asked(found[1])
        still = state_of(program, "ann@example.org")
        clicked = asked(found[1], b"List-Unsubscribe=One-Click")
        again = asked(found[1], b"List-Unsubscribe=One-Click")

    assert (still, state_of(program, "ann@example.org")) == ("active", "left")
    assert [answer.status for answer in (looked, clicked, again)] == [200, 200, 200]
    assert clicked.headers["Set-Cookie"] is None
    program.subscribe("ann@example.org")
    partner.bodies["/feed"] = feed_of(Article(headline="A third piece"))
    program.json("poll", "--force")
    assert program.json("compose", "daily")["recipients"] == 1


def state_of(program: Program, address: str) -> str:
    return str(program.json("subscribers", "show", address)["subscriptions"][0]["state"])


def test_a_preview_has_the_same_bytes_as_the_mail(program: Program, partner: Partner, tmp_path: Path) -> None:
    partner.bodies["/feed"] = two_articles()
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe("ann@example.org")
    program.json("poll")
    edition = program.json("compose", "daily")["edition"]
    program.json("preview", edition, "--out", str(tmp_path / "look"), "--as", "ann@example.org")
    program.json("send")

    kept = program.mailbox.box.content(program.mailbox.box.listed()[0].id)

    assert (tmp_path / "look" / "edition.eml").read_bytes() == kept


def test_a_test_mail_is_marked_and_stands_in_no_ledger(program: Program, partner: Partner) -> None:
    partner.bodies["/feed"] = two_articles()
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe("ann@example.org")
    program.json("poll")
    edition = program.json("compose", "daily")["edition"]

    assert program.json("test-send", edition, "editor@example.net")["sent"] == 1

    (mail,) = program.mails()
    assert mail["To"] == "editor@example.net"
    assert str(mail["Subject"]).startswith("[Test]")
    assert program.json("report", edition)["queued"] == 1


def test_an_edition_that_awaits_an_editor_is_not_sent_before_they_approve(program: Program, partner: Partner) -> None:
    partner.bodies["/feed"] = two_articles()
    program.configure('approval = "editor"', harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe("ann@example.org")
    program.json("poll")
    edition = program.json("compose", "daily")["edition"]

    assert program.json("send")["sent"] == 0
    program.json("approve", edition)

    assert program.json("send")["sent"] == 1


def test_a_cancelled_edition_gives_its_stories_back(program: Program, partner: Partner) -> None:
    partner.bodies["/feed"] = two_articles()
    program.configure('approval = "editor"', harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe("ann@example.org")
    program.json("poll")
    first = program.json("compose", "daily")
    program.json("cancel", first["edition"])

    second = program.json("compose", "daily")

    assert (second["edition"], second["number"], second["items"]) == (f"{first['edition']}-2", 2, 2)
    program.json("approve", second["edition"])
    assert program.json("send")["sent"] == 1
