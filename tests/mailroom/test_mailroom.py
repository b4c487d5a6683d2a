"""Messages made from the ledger's rows: the same for the same row, whoever makes them, whenever."""

from __future__ import annotations

import asyncio
import email
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from newsletter.app import App
from newsletter.mailbox.server import MailboxServer
from newsletter.model.delivery import Claimed, LedgerKind
from newsletter.model.edition import EditionState
from newsletter.model.message import Message
from newsletter.model.subscriber import Newcomer, Preferences
from newsletter.readers.tokens import Purpose
from newsletter.site import open_site
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file

PEOPLE = ("ann@example.org", "bob@example.org")


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with Partner(bodies={"/feed": feed_of(Article(headline="The quiet contest"))}) as partner:
        program = Program(tmp_path / "site", MailboxServer(port=1), web_port=8080)
        program.configure(harbour=feed_file(f"{partner.url}/feed"))
        program.subscribe(*PEOPLE)
        program.json("poll")
        program.json("compose", "daily")
        yield program


@pytest.fixture
def app(program: Program) -> Iterator[App]:
    opened = App.open(open_site(program.folder))
    yield opened
    opened.close()


def claimed(app: App) -> tuple[Claimed, ...]:
    """All that is due, for a moment."""
    found = app.ledger.claim(owner="test", limit=100, now=app.clock.now(), lease=timedelta(minutes=1))
    app.ledger.release("test")
    return tuple(sorted(found, key=lambda one: one.id))


def read(message: Message) -> EmailMessage:
    return email.message_from_bytes(message.content, policy=default)


def token(message: Message) -> str:
    return message.envelope.sender.partition("+")[2].partition("@")[0]


def test_the_same_row_makes_the_same_bytes_in_every_process(program: Program, app: App) -> None:
    rows = claimed(app)
    messages = [app.mailroom.message(row) for row in rows]
    another = App.open(open_site(program.folder))
    try:
        again = [another.mailroom.message(row) for row in rows]
    finally:
        another.close()

    assert messages == again
    assert [message.envelope.recipient for message in messages] == list(PEOPLE)
    assert len({read(message)["Message-ID"] for message in messages}) == 2
    assert all(read(message)["Message-ID"].endswith("@news.example.org>") for message in messages)


def test_the_return_path_tells_which_delivery_it_was_and_nothing_else_does(app: App) -> None:
    for row in claimed(app):
        message = app.mailroom.message(row)
        assert app.tokens.read(Purpose.BOUNCE, token(message)) == row.id
        assert message.envelope.sender.endswith("@bounce.example.org")
        assert token(message).encode() not in message.content


def test_a_new_key_changes_tokens_and_no_message_id_and_old_links_stay_good(program: Program, app: App) -> None:
    (row, _), file = claimed(app), program.folder / "var" / "site.key"
    before = app.mailroom.message(row)
    file.write_text("a-new-key-of-many-letters\n" + file.read_text("utf-8"), "utf-8")
    another = App.open(open_site(program.folder))
    try:
        after = another.mailroom.message(row)
        assert another.tokens.read(Purpose.BOUNCE, token(before)) == row.id
        assert another.tokens.read(Purpose.BOUNCE, token(after)) == row.id
    finally:
        another.close()

    assert read(before)["Message-ID"] == read(after)["Message-ID"]
    assert token(before) != token(after)
    assert read(before)["List-Unsubscribe"] != read(after)["List-Unsubscribe"]


def test_each_letter_is_dated_when_it_was_queued_and_asks_only_its_own_reader(app: App) -> None:
    now = app.clock.now()
    newcomers = [Newcomer(address=f"new{number}@example.org", lists=("brief",)) for number in range(2)]
    for number, newcomer in enumerate(newcomers):
        at = now - timedelta(minutes=10 - number)
        app.subscribers.add([newcomer], confirmed=False, source="test", text="", now=at)
    rows = [row for row in claimed(app) if row.ledger is LedgerKind.LETTER]

    messages = [app.mailroom.message(row) for row in rows]

    assert [read(message)["Date"].datetime for message in messages] == [
        (now - timedelta(minutes=10 - number)).replace(microsecond=0) for number in range(2)
    ]
    for row, message in zip(rows, messages, strict=True):
        mine = app.tokens.make(Purpose.CONFIRM, row.subscription_id)
        body = read(message).get_body(("plain",))
        assert body is not None
        assert f"/c/{mine}" in body.get_content()
        assert body.get_content().count("/c/") == 1
        assert read(message)["To"] == row.address
        assert app.tokens.read(Purpose.LETTER, token(message)) == row.id


def test_many_threads_make_what_one_makes(app: App) -> None:
    rows = claimed(app) * 20
    alone = [app.mailroom.message(row) for row in rows]

    async def together() -> list[Message]:
        return await asyncio.gather(*(asyncio.to_thread(app.mailroom.message, row) for row in rows))

    assert asyncio.run(together()) == alone


def test_a_trial_is_marked_and_leads_nowhere_personal(app: App) -> None:
    (row, _) = claimed(app)

    trial = app.mailroom.test_message(row.batch, "editor@example.net")

    mail = read(trial)
    assert mail["Subject"] == "[Test] The quiet contest"
    assert mail["List-Unsubscribe"] is None
    assert trial.envelope.sender == "bounces@bounce.example.org"
    body = mail.get_body(("plain",))
    assert body is not None
    assert "/u/" not in body.get_content()
    assert "http://127.0.0.1:8080/lists/brief" in body.get_content()


def test_who_wants_text_alone_gets_a_message_of_one_part_and_the_others_what_they_always_got(app: App) -> None:
    bob = app.subscribers.person("bob@example.org").subscriber
    app.subscribers.prefer(bob.id, Preferences(text_only=True, language="de"))
    app.decide(app.editions.listed()[0].id, EditionState.CANCELLED)
    asyncio.run(app.compose("daily"))
    ann, text_only = (read(app.mailroom.message(row)) for row in claimed(app))
    assert (ann.get_content_type(), ann["Content-Language"]) == ("multipart/alternative", "en")
    assert (text_only.get_content_type(), text_only["Content-Language"]) == ("text/plain", "de")
    assert "Abmelden" in text_only.get_content()
    assert "The quiet contest" in text_only.get_content()
    assert text_only["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
