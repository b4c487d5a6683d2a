"""Joining and leaving as a reader does it: by links in mails and buttons on pages, with every letter really sent."""

from __future__ import annotations

import re
from email.message import EmailMessage
from urllib.parse import urlencode

from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Page, Program, asked, feed_file, part

ANN = "ann@example.org"


def link(mail: EmailMessage, letter: str) -> str:
    """The one link to this kind of page in a mail, the same in both of its forms."""
    found = {
        address
        for subtype in ("plain", "html")
        for address in re.findall(rf"http://127\.0\.0\.1:\d+/{letter}/[a-z0-9]+", part(mail, subtype))
    }
    assert len(found) == 1
    return str(found.pop())


def subscription(program: Program, address: str = ANN) -> str:
    (found,) = program.json("subscribers", "show", address)["subscriptions"]
    return str(found["state"])


def sign_up(program: Program, address: str, **more: str) -> Page:
    return asked(f"{program.base_url}/lists/brief/subscribe", urlencode({"address": address} | more).encode())


def test_who_is_added_confirms_is_welcomed_gets_an_edition_and_leaves_with_a_goodbye(
    program: Program, partner: Partner
) -> None:
    partner.bodies["/feed"] = feed_of(Article(headline="The quiet contest"))
    program.configure(harbour=feed_file(f"{partner.url}/feed"))

    added = program.json("subscribers", "add", ANN, "--list", "brief")
    assert added == {"added": 1, "pending": 1, "known": 0, "left": 0, "suppressed": 0}
    assert subscription(program) == "pending"
    assert [program.json("send")["tried"]["sent"] for _ in range(2)] == [1, 0]
    (letter,) = program.mails(ANN)
    confirm = link(letter, "c")
    assert letter["List-Unsubscribe"] is None, "there is no subscription to leave yet"

    with program.web():
        looked = asked(confirm)
        assert (looked.status, subscription(program)) == (200, "pending"), (
            "a scanner that follows links confirms nobody"
        )
        assert "<form" in looked.text
        assert asked(confirm, b"").status == 200
        assert subscription(program) == "active"
        program.json("send")
        welcome = program.mails(ANN)[1]
        leave = re.findall(r"<(http[^>]*/u/[^>]*)>", str(welcome["List-Unsubscribe"]))[0]
        assert link(welcome, "p")
        program.json("poll")
        assert program.json("compose", "daily")["recipients"] == 1
        program.json("send")
        edition = program.mails(ANN)[2]
        assert edition["Subject"] == "The quiet contest"
        assert leave in str(edition["List-Unsubscribe"]), "one link to leave, whatever the mail"
        preferences = link(edition, "p")
        assert "Leave The Brief" in asked(preferences).text
        assert asked(preferences, b"list=brief").status == 200
        assert "Leave The Brief" not in asked(preferences).text

    assert subscription(program) == "left"
    assert program.json("send")["tried"]["sent"] == 1
    goodbye = program.mails(ANN)[3]
    assert len(program.mails(ANN)) == 4
    assert len({mail["Message-ID"] for mail in program.mails(ANN)}) == 4
    assert all(mail["To"] == ANN for mail in program.mails(ANN))
    assert goodbye["Subject"] != welcome["Subject"]
    consent = program.json("subscribers", "show", ANN)["subscriptions"][0]["consent"]
    assert [(each["before"], each["after"], each["source"]) for each in consent] == [
        (None, "pending", "cli"),
        ("pending", "active", "confirm link"),
        ("active", "left", "preferences"),
    ]


def test_signing_up_on_the_page_tells_nobody_who_is_known_and_writes_only_to_who_is_new(program: Program) -> None:
    program.configure(none=feed_file("http://127.0.0.1:1/none"))
    program.subscribe(ANN, "gone@example.org")
    program.json("subscribers", "unsubscribe", "gone@example.org")
    program.json("send")
    earlier = len(program.mails())

    with program.web():
        form = asked(f"{program.base_url}/lists/brief")
        answers = [
            sign_up(program, address)
            for address in (ANN, "new@example.org", "NEW@example.org", "gone@example.org", "no address", "")
        ]
        answers.append(sign_up(program, "robot@example.org", website="x"))
        missing = sign_up_at(program, "no-such-list")

    assert f'action="{program.base_url}/lists/brief/subscribe"' in form.text
    assert {answer.status for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert missing.status == 404
    program.json("send")
    letters = program.mails()[earlier:]
    assert sorted(mail["To"] for mail in letters) == ["gone@example.org", "new@example.org"]
    assert all("/c/" in part(mail, "plain") for mail in letters)
    assert subscription(program, "new@example.org") == subscription(program, "gone@example.org") == "pending"


def sign_up_at(program: Program, mailing_list: str) -> Page:
    return asked(f"{program.base_url}/lists/{mailing_list}/subscribe", b"address=x%40example.org")


def test_the_archive_shows_what_was_sent_without_anybodys_links_or_address(program: Program, partner: Partner) -> None:
    partner.bodies["/feed"] = feed_of(Article(headline="The quiet contest", body="<p>The dredgers came in April.</p>"))
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe(ANN, "bob@example.org")
    program.json("poll")
    program.json("compose", "daily")
    program.json("send")
    with program.web():
        overview, listed, edition = (asked(f"{program.base_url}/archive{path}") for path in ("", "/brief", "/brief/1"))
        unknown = asked(f"{program.base_url}/u/{'a' * 29}")
        probe = asked(f"{program.base_url}/healthz")

    assert f'href="{program.base_url}/archive/brief"' in overview.text
    assert f'href="{program.base_url}/archive/brief/1"' in listed.text
    for shown in ("The quiet contest", "The dredgers came in April.", "Republished with permission"):
        assert shown in edition.text
    assert not re.search(r"/[upc]/[a-z0-9]|@example\.org|mailto:", edition.text)
    assert "Unsubscribe" not in edition.text
    assert (unknown.status, probe.status) == (404, 200)
    for page in (overview, listed, edition, unknown):
        assert str(page.headers["Content-Security-Policy"]).startswith("default-src 'none'")
        assert page.headers["Set-Cookie"] is None
        assert page.headers["Server"] is None
    mail = program.mails(ANN)[0]
    assert f"{program.base_url}/archive/brief/1" in part(mail, "plain")


def test_what_is_queued_for_who_leaves_is_not_sent(program: Program, partner: Partner) -> None:
    partner.bodies["/feed"] = feed_of(Article(headline="The quiet contest"))
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe(ANN, "bob@example.org")
    program.json("poll")
    edition = program.json("compose", "daily")["edition"]

    assert program.json("subscribers", "unsubscribe", ANN)["left"] == ["brief"]

    report = program.json("send", edition)
    assert (report["sent"], report["suppressed"], report["recipients"]) == (1, 1, 2)
    assert [
        each["because"] for each in program.json("report", edition)["reasons"] if each["state"] == "suppressed"
    ] == ["left the list"]
    assert [mail["Subject"] for mail in program.mails(ANN)] == []


def test_no_import_brings_back_who_left(program: Program) -> None:
    program.configure(none=feed_file("http://127.0.0.1:1/none"))
    program.subscribe(ANN)
    program.json("subscribers", "unsubscribe", ANN)
    path = program.folder / "again.csv"
    path.write_text(f"address,name\n{ANN.upper()},Ann\n", encoding="utf-8")

    again = program.json("subscribers", "import", str(path), "--confirmed", "--source", "a list I bought")
    added = program.json("subscribers", "add", ANN, "--confirmed", "--source", "by hand", code=1)

    assert (again["left"], again["added"], added["left"]) == (1, 0, 1)
    assert subscription(program) == "left"
