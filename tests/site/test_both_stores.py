"""The same site on SQLite and on PostgreSQL: the same answers to the same commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.mailbox.script import Script
from newsletter.mailbox.server import MailboxThread
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
HOSTILE = "Ports \x00 \ud800 \U0001f6a2 'quoted' \\ %s ; DROP TABLE items; -- " + "x" * 600


def article(number: int, headline: str = "") -> Article:
    return Article(
        headline=headline or f"Headline {number}", guid=f"g{number}", published_at=NOON.replace(hour=11 - number % 10)
    )


def flow(program: Program, partner: Partner) -> Iterator[tuple[str, Any]]:
    """A site's first two days: (command, what it answered)."""

    def told(*arguments: str) -> tuple[str, Any]:
        answer = program.run(*arguments, "--json")
        return f"{' '.join(arguments)} → {answer.code}", answer.json

    program.now = NOON
    partner.bodies["/feed"] = feed_of(*(article(number) for number in range(14)), article(20, HOSTILE))
    program.configure(
        'schedule = "0 7 * * *"\nmax_items = 4',
        more="[deliver]\nfirst_wait = '1m'\n",
        harbour=feed_file(f"{partner.url}/feed"),
        gone=feed_file(f"{partner.url}/gone", partner="Gone & Co"),
    )
    people = [f"reader{number}@example.org" for number in range(12)]
    program.folder.joinpath("people.csv").write_text(
        "address,name,town\n" + "".join(f"{each},Reader,Karrow\n" for each in [*people, "nobody", people[0].upper()]),
        encoding="utf-8",
    )
    imported = ("subscribers", "import", str(program.folder / "people.csv"), "--confirmed", "--source", "a test")
    yield "import", told(*imported)[1] | {"bad": None}
    yield told("subscribers", "add", "New@Exämple.org", "--name", "New 新")
    yield told("subscribers", "unsubscribe", people[1])
    yield told("poll")
    yield told("poll")
    partner.bodies["/feed"] = feed_of(
        article(0, "Headline 0, corrected"), *(article(number) for number in range(1, 16))
    )
    yield told("poll", "harbour", "--force")
    yield told("items")
    yield told("compose", "daily")
    program.mailbox.script = Script(
        rcpt={people[2]: "550 5.1.1 no such user", people[3]: ("451 4.3.0 later",)},
    )
    yield told("send")
    yield told("report", "daily-2026-03-05")
    yield told("resend", "daily-2026-03-05", "--only", "failed")
    program.mailbox.script = Script()
    program.now = NOON.replace(hour=15)
    yield told("send")
    program.now = NOON.replace(day=6, hour=7, minute=1)
    yield told("tick")
    yield told("tick")
    yield told("report", "daily-2026-03-06")
    yield told("cancel", "daily-2026-03-06")
    yield told("feeds", "list")
    for address in (people[0], people[1], people[2], "new@xn--exmple-cua.org", "stranger@example.org"):
        yield told("subscribers", "show", address)
    yield told("subscribers", "export")
    yield told("check")


def plain(value: Any, program: Program) -> Any:
    """The answer without what must differ: instants to the second, and where things are."""
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(\+00:00|Z| UTC)?", "T", repr(value))
    for here in (str(program.folder), program.store, str(program.mailbox.port)):
        text = text.replace(here, "HERE")
    return text


def answers(folder: Path, store: str, partner: Partner) -> tuple[list[tuple[str, Any]], dict[str, int]]:
    with MailboxThread() as mailbox:
        program = Program(folder, mailbox, web_port=8080, store=store)
        told = [(command, plain(answer, program)) for command, answer in flow(program, partner)]
        return told, dict(mailbox.counts)


@pytest.mark.postgres
@pytest.mark.slow
def test_both_stores_give_the_same_answers(tmp_path: Path, partner: Partner, fresh_postgres_url: str) -> None:
    on_sqlite, mails = answers(tmp_path / "one", "sqlite:///var/newsletter.db", partner)
    on_postgres, others = answers(tmp_path / "two", fresh_postgres_url, partner)

    assert [command for command, _ in on_sqlite] == [command for command, _ in on_postgres]
    for (command, answer), (_, other) in zip(on_sqlite, on_postgres, strict=True):
        assert answer == other, command
    assert mails == others
    assert sum(mails.values()) > 20
    assert [command for command, _ in on_sqlite if not command.endswith("→ 0")] == [
        "import",
        "poll → 1",
        "tick → 1",
        "cancel daily-2026-03-06 → 1",
        "subscribers show stranger@example.org → 2",
    ]
