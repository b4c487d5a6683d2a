"""`newsletter subscribers`, on a real store."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from newsletter.app import App
from newsletter.model.subscriber import Departure, Preferences, Taste
from newsletter.readers.tokens import Purpose
from newsletter.site import open_site
from tests.cli.conftest import Ran, Run

PEOPLE = """\
address,name,list,city
ann@example.org,Ann,brief,Basra
no address here,Nobody,,
bo@example.org,=Bo,,
"""


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE)
    return path


def imported(run: Run, site: Path, people: Path) -> Ran:
    return run("subscribers", "import", people, "--site", site, "--confirmed", "--source", "minutes 2025", "--json")


def test_an_import_takes_the_good_rows_and_tells_the_bad_ones(run: Run, site: Path, people: Path) -> None:
    ran = imported(run, site, people)
    assert ran.code == 1
    assert ran.document == {
        "dry_run": False,
        "rows": 3,
        "people": 2,
        "added": 2,
        "pending": 0,
        "known": 0,
        "left": 0,
        "suppressed": 0,
        "bad_rows": 1,
        "bad": [{"line": 3, "because": "an email address must have an @-sign"}],
    }
    assert ran.err == f"{people}:3: an email address must have an @-sign\n"


def test_importing_the_same_file_again_adds_nobody(run: Run, site: Path, people: Path) -> None:
    imported(run, site, people)
    again = imported(run, site, people).document
    assert (again["added"], again["known"]) == (0, 2)


def test_without_confirmed_consent_people_are_asked_first(run: Run, site: Path, people: Path) -> None:
    ran = run("subscribers", "import", people, "--site", site, "--json")
    assert (ran.document["added"], ran.document["pending"]) == (2, 2)


def test_a_list_that_asks_nobody_takes_people_at_once(run: Run, site: Path, people: Path) -> None:
    config = site / "config.toml"
    config.write_text(config.read_text().replace("double_opt_in = true", "double_opt_in = false"))
    ran = run("subscribers", "import", people, "--site", site, "--json")
    assert (ran.document["added"], ran.document["pending"]) == (2, 0)


def test_confirmed_without_a_source_is_wrong_usage(run: Run, site: Path, people: Path) -> None:
    ran = run("subscribers", "import", people, "--site", site, "--confirmed")
    assert ran.code == 2
    assert "--confirmed needs --source" in ran.err


def test_a_dry_run_adds_nobody(run: Run, site: Path, people: Path) -> None:
    ran = run("subscribers", "import", people, "--site", site, "--dry-run", "--json")
    assert (ran.document["people"], ran.document["added"], ran.document["bad_rows"]) == (2, 0, 1)
    assert run("subscribers", "show", "ann@example.org", "--site", site).code == 2


def test_show_tells_everything_known_about_a_person(run: Run, site: Path, people: Path) -> None:
    imported(run, site, people)
    shown = run("subscribers", "show", "ANN@example.org", "--site", site, "--json").document
    assert (shown["name"], shown["fields"], shown["suppressed"]) == ("Ann", {"city": "Basra"}, False)
    (subscription,) = shown["subscriptions"]
    assert (subscription["list"], subscription["state"]) == ("brief", "active")
    (consent,) = subscription["consent"]
    assert (consent["before"], consent["after"], consent["source"]) == (None, "active", "import: minutes 2025")
    text = run("subscribers", "show", "ann@example.org", "--site", site).out
    assert "list brief: active since" in text
    assert "unknown to active, import: minutes 2025" in text


def test_who_left_is_not_brought_back_by_any_import(run: Run, site: Path, people: Path) -> None:
    imported(run, site, people)
    left = run("subscribers", "unsubscribe", "ann@example.org", "--site", site, "--json")
    assert left.document == {"address": "ann@example.org", "left": ["brief"]}
    assert run("subscribers", "unsubscribe", "ann@example.org", "--site", site, "--json").document["left"] == []
    again = imported(run, site, people).document
    assert (again["added"], again["known"], again["left"]) == (0, 1, 1)
    shown = run("subscribers", "show", "ann@example.org", "--site", site, "--json").document
    assert shown["subscriptions"][0]["state"] == "left"


def test_adding_somebody_who_left_is_refused_with_the_reason(run: Run, site: Path) -> None:
    command = ("subscribers", "add", "ann@example.org", "--site", site, "--confirmed", "--source", "in person")
    assert run(*command).out == "1 added\n"
    run("subscribers", "unsubscribe", "ann@example.org", "--site", site)
    again = run(*command)
    assert (again.code, again.out) == (1, "1 had left, not brought back\n")


def test_who_is_erased_is_forgotten_and_no_import_brings_them_back(run: Run, site: Path, people: Path) -> None:
    imported(run, site, people)
    erased = run("subscribers", "erase", "ANN@example.org", "--site", site, "--json")
    assert (erased.code, erased.document) == (0, {"erased": True, "suppressed": True})
    assert "ann@" not in (erased.out + erased.err).lower()
    assert b"ann@" not in b"".join(path.read_bytes() for path in (site / "var").iterdir() if path.is_file()).lower()

    again = run("subscribers", "erase", "ann@example.org", "--site", site)
    assert (again.code, again.out) == (0, "not known, and suppressed already: nothing to erase\n")
    assert imported(run, site, people).document["suppressed"] == 1
    shown = run("subscribers", "show", "ann@example.org", "--site", site, "--json").document
    assert (shown["suppressed"], shown["suppression"]["kind"], shown["subscriptions"]) == (True, "erased", [])
    text = run("subscribers", "show", "ann@example.org", "--site", site).out
    assert re.fullmatch(r"ann@example.org: not known, and suppressed since .* \(erased: erased\)\n", text)


def test_an_export_can_be_opened_and_imported_elsewhere(run: Run, site: Path, people: Path, tmp_path: Path) -> None:
    imported(run, site, people)
    run("subscribers", "unsubscribe", "bo@example.org", "--site", site)
    out = tmp_path / "out.csv"
    assert run("subscribers", "export", "--site", site, "--out", out).code == 0
    assert out.stat().st_mode & 0o077 == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [(row["address"], row["name"], row["state"], row["city"]) for row in rows] == [
        ("ann@example.org", "Ann", "active", "Basra"),
        ("bo@example.org", "'=Bo", "left", ""),
    ]
    other = tmp_path / "other"
    run("init", other)
    ran = run("subscribers", "import", out, "--site", other, "--confirmed", "--source", "moved", "--json")
    assert (ran.document["added"], ran.document["bad_rows"]) == (1, 1)


def test_an_export_as_json_is_one_document(run: Run, site: Path, people: Path) -> None:
    assert run("subscribers", "export", "--site", site, "--json").document == {"subscribers": []}
    imported(run, site, people)
    everybody = run("subscribers", "export", "--site", site, "--json").document["subscribers"]
    assert [person["address"] for person in everybody] == ["ann@example.org", "bo@example.org"]


def test_names_that_are_not_there_are_wrong_usage(run: Run, site: Path, people: Path) -> None:
    for command in (
        ("import", people, "--list", "nowhere"),
        ("import", people.with_name("none.csv")),
        ("export", "--list", "nowhere"),
        ("show", "nobody@example.org"),
        ("show", "nobody"),
        ("unsubscribe", "nobody@example.org"),
        ("erase", "nobody@example.org"),
        ("add", "ann@example.org", "--list", "nowhere"),
    ):
        ran = run("subscribers", *command, "--site", site)
        assert (ran.code, ran.out) == (2, ""), command
        assert ran.err.startswith("error: ")


def test_why_people_left_is_told_by_list_and_month(run: Run, site: Path) -> None:
    assert run("subscribers", "departures", "--site", site).out == "nobody gave a reason yet\n"
    app = App.open(open_site(site))
    for words in ("Every day!", ""):
        app.departures.note("brief", Departure.TOO_OFTEN, words=words, now=datetime(2026, 11, 23, tzinfo=UTC))
    app.close()
    told = run("subscribers", "departures", "--site", site)
    assert told.out == "brief 2026-11: 2 too-often\n  Every day!\n"
    (row,) = run("subscribers", "departures", "--site", site, "--json").document["departures"]
    assert (row["reason"], row["many"], row["words"]) == ("too-often", 2, ["Every day!"])


def test_bad_rows_go_into_a_file_that_says_line_and_reason(run: Run, site: Path, people: Path, tmp_path: Path) -> None:
    report = tmp_path / "bad.csv"
    ran = run("subscribers", "import", people, "--site", site, "--dry-run", "--bad-rows", report)
    assert (ran.code, ran.err) == (1, "")
    assert report.read_text().splitlines() == ["line,because", "3,an email address must have an @-sign"]
    assert report.stat().st_mode & 0o077 == 0


def test_an_import_records_what_people_agreed_to(run: Run, site: Path, people: Path) -> None:
    consent = ("--confirmed", "--source", "paper forms, May", "--wording", "Yes, send me the Brief each weekday.")
    run("subscribers", "import", people, "--site", site, *consent)
    shown = run("subscribers", "show", "ann@example.org", "--site", site, "--json").document
    assert shown["subscriptions"][0]["consent"][0]["text"] == "Yes, send me the Brief each weekday."
    assert "was shown (" in run("subscribers", "show", "ann@example.org", "--site", site).out


@pytest.mark.parametrize("form", ["message", "mbox", "maildir"])
def test_who_writes_to_the_mailto_address_leaves(run: Run, site: Path, people: Path, tmp_path: Path, form: str) -> None:
    imported(run, site, people)
    app = App.open(open_site(site))
    (subscription,) = app.subscribers.person("ann@example.org").subscriptions
    token = app.tokens.make(Purpose.UNSUBSCRIBE, subscription.id)
    app.close()
    mail = f"From: ann@example.org\nTo: bounces@bounce.example.org\nSubject: unsubscribe {token}\n\nplease\n"
    path = tmp_path / "mails"
    if form == "maildir":
        for name in ("cur", "new", "tmp"):
            (path / name).mkdir(parents=True)
        (path / "new" / "1.mail").write_text(mail)
        (path / "cur" / "2.mail").write_text("Subject: hello\n\n")
    else:
        other = "From x@y Mon Nov 23 07:00:00 2026\nSubject: hello\n\n\n"
        path.write_text(f"{other}From a@b Mon Nov 23 07:00:00 2026\n{mail}\n" if form == "mbox" else mail)
    command = ("subscribers", "unsubscribe", "--mail", path, "--site", site, "--json")

    done = [run(*command).document for _ in range(2)]

    many = 1 if form == "message" else 2
    assert done == [{"mails": many, "asked": 1, "left": left} for left in (1, 0)]
    shown = run("subscribers", "show", "ann@example.org", "--site", site, "--json").document["subscriptions"][0]
    assert (shown["state"], shown["consent"][-1]["source"], len(shown["consent"][-1]["token"])) == ("left", "mail", 16)


def test_a_mail_that_is_read_again_takes_nobody_off_who_has_come_back_since(
    run: Run, site: Path, people: Path, tmp_path: Path
) -> None:
    imported(run, site, people)
    app = App.open(open_site(site))
    (subscription,) = app.subscribers.person("ann@example.org").subscriptions
    token = app.tokens.make(Purpose.UNSUBSCRIBE, subscription.id)
    app.close()

    def left(*, hours: int) -> int:
        path = tmp_path / "mail"
        taken = format_datetime(subscription.since_at + timedelta(hours=hours))
        path.write_text(f"Received: from a by b with SMTP;\n\t{taken}\nSubject: unsubscribe {token}\n\n")
        counted: int = run("subscribers", "unsubscribe", "--mail", path, "--site", site, "--json").document["left"]
        return counted

    assert [left(hours=-1), left(hours=1)] == [0, 1]


def test_leaving_takes_an_address_or_mails(run: Run, site: Path) -> None:
    assert run("subscribers", "unsubscribe", "--site", site).code == 2
    assert run("subscribers", "unsubscribe", "ann@example.org", "--mail", "-", "--site", site).code == 2
    assert run("subscribers", "unsubscribe", "--mail", site / "none", "--site", site).code == 1


def test_readers_of_a_segment_are_counted_and_written_down(run: Run, site: Path, people: Path) -> None:
    imported(run, site, people)
    town = ("--segment", 'field.city = "Basra"')
    counted = run("subscribers", "count", "--site", site, "--list", "brief", *town, "--json").document
    assert counted == {"segment": town[1], "active": 1, "lists": {"brief": 1}}
    assert run("subscribers", "count", "--site", site, *town).out == "brief: 1\n"
    exported = run("subscribers", "export", "--site", site, *town).out
    assert ("ann@example.org" in exported, "bo@example.org" in exported) == (True, False)
    refused = run("subscribers", "count", "--site", site, "--segment", "city = Basra")
    assert (refused.code, "character 1: expected a name" in refused.err) == (2, True)


def test_show_tells_what_somebody_prefers(run: Run, site: Path, people: Path) -> None:
    imported(run, site, people)
    app = App.open(open_site(site))
    try:
        ann = app.subscribers.person("ann@example.org").subscriber
        wants = Preferences(text_only=True, tracking=False, tastes={"brief": Taste(weekly=True, topics=("Seas",))})
        app.subscribers.prefer(ann.id, wants)
    finally:
        app.close()
    shown = run("subscribers", "show", "ann@example.org", "--site", site, "--json").document
    (subscription,) = shown["subscriptions"]
    assert (shown["format"], shown["tracking"]) == ("text", False)
    assert (subscription["rhythm"], subscription["topics"]) == ("weekly", ["Seas"])
    text = run("subscribers", "show", "ann@example.org", "--site", site).out
    assert ", once a week, only Seas" in text
    assert "tracking: False" in text


def test_show_tells_of_the_last_wish_for_another_address_and_times_to_the_second(
    run: Run, site: Path, people: Path
) -> None:
    imported(run, site, people)
    app = App.open(open_site(site))
    (subscription,) = app.subscribers.person("ann@example.org").subscriptions
    for wanted in ("first@example.net", "second@example.net"):
        app.address_changes.ask(subscription.id, wanted, now=app.clock.now())
    app.close()
    lines = run("subscribers", "show", "ann@example.org", "--site", site).out.splitlines()
    assert "  wants their mail at second@example.net, which both addresses have not confirmed yet" in lines
    assert not [line for line in lines if "first@" in line or re.search(r":\d\d\.\d", line)]
    assert f"list brief: active since {subscription.since_at:%Y-%m-%d %H:%M:%S} UTC" in lines


def test_one_is_not_counted_as_several(run: Run, site: Path, tmp_path: Path) -> None:
    run("subscribers", "add", "ann@example.org", "--list", "brief", "--confirmed", "--source", "x", "--site", site)
    path = tmp_path / "out.csv"
    assert run("subscribers", "export", "--out", path, "--site", site).out == f"{path}: 1 person\n"
