"""What scripts rely on: exit codes, one JSON document on standard output, its keys, and logs elsewhere."""

from __future__ import annotations

import json
from typing import Any

import pytest

from newsletter.mailbox.script import Script
from newsletter.mailbox.server import MailboxServer
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Answer, Program, feed_file

ANN = "ann@example.org"
STATES = {"queued", "sending", "sent", "deferred", "failed", "unknown", "suppressed"}


@pytest.fixture
def site(program: Program, partner: Partner) -> Program:
    partner.bodies["/feed"] = feed_of(Article(headline="The quiet contest", byline="Ilse Okonedo"))
    program.configure(harbour=feed_file(f"{partner.url}/feed"))
    program.subscribe(ANN, "bob@example.org")
    return program


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A site for commands that fail before they do anything."""
    program = Program(tmp_path_factory.mktemp("untouched") / "site", MailboxServer(port=1), web_port=1)
    program.configure(harbour=feed_file("http://127.0.0.1:1/feed"))
    program.subscribe(ANN)
    return program


@pytest.fixture
def edition(site: Program) -> str:
    site.json("poll")
    return str(site.json("compose", "daily")["edition"])


def keys(document: dict[str, Any]) -> set[str]:
    return set(document)


def test_documents_have_the_keys_of_the_contract(site: Program, partner: Partner) -> None:
    polled = site.json("poll")["feeds"][0]
    item = site.json("items")["items"][0]
    composed = site.json("compose", "daily")
    report = site.json("report", composed["edition"])
    sent = site.json("send")
    feed = site.json("feeds", "list")["feeds"][0]
    person = site.json("subscribers", "show", ANN)
    none = site.json("compose", "daily", code=1)

    assert keys(polled) >= {"feed", "status", "new", "changed", "known", "held", "because"}
    assert keys(item) >= {
        *("id", "story", "feed", "headline", "url", "state", "published_at", "section_line", "byline", "image"),
        "because",
    }
    assert (item["section_line"], item["byline"], item["image"]) == ("Analysis | Seas and Ports", "Ilse Okonedo", None)
    assert keys(composed) >= {"edition", "number", "items", "recipients", "because"}
    assert (none["edition"], none["items"], none["recipients"]) == (None, 0, 0)
    for account in (report, sent):
        assert keys(account) >= {"edition", "recipients"} | STATES
        assert sum(account[state] for state in STATES) == account["recipients"] == 2
    assert keys(feed) >= {
        *("feed", "url", "state", "last_try_at", "last_success_at", "next_poll_at", "failures", "because"),
    }
    assert keys(person) >= {"address", "subscriptions"}
    assert keys(person["subscriptions"][0]) >= {"list", "state", "consent"}


def test_one_document_is_on_standard_output_and_logs_are_not(site: Program) -> None:
    answer = site.run("tick", "--json")

    assert json.loads(answer.out)
    assert "feed polled" in answer.err
    assert ANN not in answer.err
    lines = [json.loads(line) for line in answer.err.splitlines()]
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [
        "poll nowhere",
        "items --feed nowhere",
        "items --state lost",
        "compose nothing",
        "preview daily-1999-01-01",
        "test-send daily-1999-01-01 ann@example.org",
        "approve daily-1999-01-01",
        "cancel daily-1999-01-01",
        "pause daily-1999-01-01",
        "resume daily-1999-01-01",
        "send daily-1999-01-01",
        "report daily-1999-01-01",
        "resend daily-1999-01-01 --only failed",
        "resend daily-1999-01-01 --only sent",
        "resend daily-1999-01-01",
        "feeds show nowhere",
        "feeds release nowhere",
        "subscribers add no-address --confirmed --source test",
        "subscribers add ann@example.org --list none",
        "subscribers add ann@example.org --confirmed",
        "subscribers show stranger@example.org",
        "subscribers show no-address",
        "subscribers unsubscribe ann@example.org --list none",
        "subscribers import missing.csv",
        "subscribers export --list none",
        "run --role king",
        "mailbox --port 70000",
    ],
)
def test_what_is_not_there_or_wrong_is_usage_and_changes_nothing(untouched: Program, arguments: str) -> None:
    answer = untouched.run(*arguments.split(), "--json")

    assert answer.code == 2, (answer.code, answer.err)
    assert [person["address"] for person in untouched.json("subscribers", "export")["subscribers"]] == [ANN]
    assert answer.err
    assert "Traceback" not in answer.err
    if answer.out:
        assert answer.json["error"]["message"]


def test_a_folder_that_is_no_site_and_settings_with_faults_are_usage(site: Program) -> None:
    config = site.folder / "config.toml"
    config.write_text(config.read_text("utf-8").replace("max_items", "maximum") + "\n[relay]\nx = 1\n", "utf-8")
    faulty = site.run("poll", "--json")
    config.unlink()
    missing = site.run("poll", "--json")

    assert (faulty.code, missing.code) == (2, 2)
    assert any("config.toml" in fault and "relay" in fault for fault in faulty.json["error"]["faults"])
    assert "newsletter init" in missing.json["error"]["message"]


def test_a_relay_that_is_not_there_loses_nothing_and_is_told(site: Program, edition: str) -> None:
    config = site.folder / "config.toml"
    right = config.read_text("utf-8")
    config.write_text(right.replace(f"127.0.0.1:{site.mailbox.port}", "127.0.0.1:1"), "utf-8")

    refused = site.run("send", "--json")
    tested = site.run("test-send", edition, "editor@example.net", "--json")

    assert (refused.code, refused.json["sent"], refused.json["tried"]["sent"]) == (1, 0, 0)
    assert "main" in refused.json["because"]
    assert (tested.code, tested.json["sent"], len(tested.json["outcomes"])) == (1, 0, 1)
    assert site.json("report", edition)["queued"] == 2
    config.write_text(right, "utf-8")
    assert site.json("send")["sent"] == 2
    assert set(site.mailbox.counts.values()) == {1}


def test_refusals_are_accounted_for_with_their_reasons(site: Program, edition: str) -> None:
    site.mailbox.script = Script(rcpt={ANN: "550 5.1.1 no such user here", "bob@example.org": "450 4.2.2 mailbox full"})

    report = site.json("send")

    assert (report["failed"], report["deferred"], report["sent"]) == (1, 1, 0)
    reasons = {each["state"]: each for each in site.json("report", edition)["reasons"]}
    assert reasons["failed"]["because"].startswith("address dead")
    assert reasons["deferred"]["because"].startswith("mailbox trouble")
    assert [each["count"] for each in reasons.values()] == [1, 1]
    site.mailbox.script = Script()
    assert site.json("resend", edition, "--only", "failed,deferred") == {"edition": edition, "queued": 2}
    again = site.json("send")
    assert (again["sent"], again["suppressed"]) == (1, 1), "who is dead is not mailed again, whoever asks for it"
    shown = site.json("subscribers", "show", ANN)
    assert shown["suppressed"]
    assert shown["suppression"]["reason"] == reasons["failed"]["because"]
    assert shown["suppression"]["evidence"].startswith("550 5.1.1 no such user here (edition ")
    assert "550 5.1.1 no such user here" in site.run("subscribers", "show", ANN).out


def test_decisions_that_do_not_fit_are_refused_with_the_reason(site: Program, edition: str) -> None:
    site.json("send")

    answers: list[Answer] = [site.run(word, edition, "--json") for word in ("approve", "resume", "pause", "cancel")]

    assert [answer.code for answer in answers] == [1, 1, 1, 1]
    assert all(f"{edition}: it is finished" in answer.json["error"]["message"] for answer in answers)
    assert site.json("report", edition)["state"] == "finished"


def test_a_preview_is_three_files_and_for_nobody_unless_told(site: Program, edition: str) -> None:
    folder = site.folder / "look"

    answer = site.json("preview", edition, "--out", str(folder))

    assert keys(answer) >= {"edition", "subject", "files", "warnings"}
    assert sorted(path.name for path in folder.iterdir()) == ["edition.eml", "edition.html", "edition.txt"]
    assert ANN not in (folder / "edition.eml").read_text("utf-8")
    stranger = site.run("preview", edition, "--out", str(folder), "--as", "stranger@example.org", "--json")
    assert (stranger.code, "stranger@" in stranger.err) == (2, False)


@pytest.mark.parametrize("address", ["nobody", "a@example.org\r\nRCPT TO:<b@example.org>", "a@b@c", ""])
def test_a_test_goes_to_addresses_only(site: Program, edition: str, address: str) -> None:
    answer = site.run("test-send", edition, "editor@example.net", address, "--json")

    assert (answer.code, answer.json["error"]["kind"]) == (2, "address")
    assert site.mailbox.counts.total() == 0


def test_the_same_edition_makes_the_same_bytes_for_a_reader_each_time(site: Program, edition: str) -> None:
    site.mailbox.script = Script(rcpt={ANN: ("451 4.3.0 later",)})
    site.json("send", edition)
    site.json("resend", edition, "--only", "deferred")
    folder = site.folder / "look"
    site.json("preview", edition, "--out", str(folder), "--as", ANN)
    site.json("send", edition)

    (mail,) = [each for each in site.mailbox.box.listed() if each.recipients == (ANN,)]

    assert site.mailbox.box.content(mail.id) == (folder / "edition.eml").read_bytes()
    assert mail.sender.startswith("bounces+")
