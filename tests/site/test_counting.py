"""Counting what is opened and followed: nobody unless a digest says so, nobody who does not want to, and never who."""

from __future__ import annotations

import re
from urllib.request import urlopen

from newsletter.app import App
from newsletter.model.subscriber import Preferences
from newsletter.site import open_site
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, asked, feed_file, part

ANN, BOB = "ann@example.org", "bob@example.org"
COUNTED = re.compile(r"http://127\.0\.0\.1:\d+/[lo]/[^\"<> ]+")


def sent(program: Program, partner: Partner, *settings: str) -> str:
    """An edition for Ann, and for Bob, who does not want to be counted."""
    partner.bodies["/feed"] = feed_of(Article(headline="The quiet contest", link="https://harbour.example/quiet"))
    program.configure(*settings, harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe(ANN, BOB)
    app = App.open(open_site(program.folder))
    bob = app.subscribers.person(BOB).subscriber
    app.subscribers.prefer(bob.id, Preferences(tracking=False))
    app.close()
    program.json("poll")
    edition = program.json("compose", "daily")["edition"]
    program.json("send")
    return str(edition)


def test_nothing_is_counted_by_default(program: Program, partner: Partner) -> None:
    edition = sent(program, partner)

    for mail in program.mails():
        assert COUNTED.findall(mail.as_string() + part(mail, "html")) == []
        assert "https://harbour.example/quiet" in part(mail, "html")
    report = program.json("report", edition)
    assert (report["opens"], report["clicks"]) == ({"person": 0, "proxy": 0, "machine": 0}, [])


def test_a_digest_that_counts_counts_by_link_and_leaves_out_who_does_not_want_it(
    program: Program, partner: Partner
) -> None:
    edition = sent(program, partner, 'tracking = ["opens", "clicks"]')
    (ann,), (bob,) = program.mails(ANN), program.mails(BOB)

    assert COUNTED.findall(part(bob, "html")) == []
    assert 'href="https://harbour.example/quiet"' not in part(ann, "html")
    assert "https://harbour.example/quiet" in part(ann, "plain"), "the text part shows where its links lead"
    link, *more, picture = COUNTED.findall(part(ann, "html"))
    assert {link, *more} == {link}, "the same for everybody: it says what was followed, not by whom"
    with program.web():
        for _ in range(3):
            with urlopen(picture) as answer:
                assert answer.headers["Content-Type"] == "image/gif"
        shown = asked(f"{program.base_url}/archive/brief/1").text
    assert COUNTED.findall(shown) == [], "in the archive nobody is counted"
    report = program.json("report", edition)
    assert sum(report["opens"].values()) == 3, "also those of the last second before it was stopped"
    assert "scanners and other programs" in program.run("report", edition).out


def test_a_preview_has_the_bytes_that_each_reader_got(program: Program, partner: Partner) -> None:
    edition = sent(program, partner, 'tracking = ["opens", "clicks"]')
    for address in (ANN, BOB):
        program.json("preview", edition, "--out", str(program.folder / "look"), "--as", address)
        (kept,) = (each for each in program.mailbox.box.listed() if address in each.recipients)
        assert (program.folder / "look" / "edition.eml").read_bytes() == program.mailbox.box.content(kept.id)
        assert COUNTED.findall((program.folder / "look" / "edition.html").read_text("utf-8")) == []
