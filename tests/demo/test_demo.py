"""`newsletter demo`, as somebody types it who has just installed the program."""

from __future__ import annotations

import email
import re
import signal
import subprocess
import sys
from collections import Counter
from email.policy import default
from pathlib import Path

import pytest

from tests.site.program import Log, asked, command

DEMO = [sys.executable, "-m", "newsletter", "demo"]


def test_once_ends_by_itself_when_every_reader_has_exactly_one_mail(tmp_path: Path) -> None:
    answer = command("demo", "--once", "--readers", "40", "--dir", str(tmp_path), "--json")

    outcome = answer.json
    assert answer.code == 0
    assert (outcome["ok"], outcome["subscribers"], outcome["mails"]) == (True, 40, 40)
    assert (outcome["missing"], outcome["repeated"]) == (0, 0)
    mails = [
        email.message_from_bytes(path.read_bytes(), policy=default) for path in (tmp_path / "mails").rglob("*.eml")
    ]
    assert Counter(mail["To"].addresses[0].addr_spec for mail in mails) == Counter(
        f"reader{number:03}@mail{number % 5}.example.org" for number in range(40)
    )


def test_it_shows_what_the_pipeline_can(tmp_path: Path) -> None:
    told = command("demo", "--once", "--readers", "3", "--dir", str(tmp_path)).out

    assert "Every subscriber has exactly one mail" in told
    assert re.search(r"item \d+ of overland-review: same text as item \d+ of harbour-institute", told)
    path = next((tmp_path / "mails").rglob("*.eml"))
    mail = email.message_from_bytes(path.read_bytes(), policy=default)
    body = mail.get_body(("html",))
    assert body is not None
    page = body.get_content()
    assert "Republished with permission" in page
    assert "Also at" in page
    assert 'dir="rtl"' in page
    assert "<img" in page


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")

    answer = command("demo", "--once", "--dir", str(tmp_path))

    assert (answer.code, "not empty" in answer.err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.slow
def test_without_once_the_pages_are_there_until_it_is_interrupted() -> None:
    with subprocess.Popen(
        [*DEMO, "--readers", "5"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        log = Log(process, process.stdout)
        log.wait_for("Ctrl-C ends it")
        said = "".join(log.lines)
        mails, archive, partner = (
            re.search(rf"{label}\s+(http\S+)", said) for label in ("The mails", "The web version", "A partner's page")
        )
        assert mails
        assert archive
        assert partner
        pages = [asked(found[1]) for found in (mails, archive, partner)]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0

    assert [page.status for page in pages] == [200, 200, 200]
    assert "reader000@mail0.example.org" in pages[0].text
    assert "reader0" not in pages[1].text
