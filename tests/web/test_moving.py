"""Getting mail at another address: both addresses are asked, and everything else stays as it was."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.app import App
from newsletter.model.message import LetterKind
from newsletter.model.subscriber import Newcomer, SubscriptionState, SuppressionKind
from newsletter.readers.tokens import Purpose
from tests.web.pages import Pages
from tests.web.test_joining import Ahead

OLD, NEW = "ann@example.org", "Ann@New.Example"


@pytest.fixture(autouse=True)
def _(app: App) -> None:
    newcomer = Newcomer(address=OLD, name="Ann", lists=("brief", "weekend"))
    app.subscribers.add([newcomer], confirmed=True, source="test", text="I agree", now=app.clock.now())


def preferences(app: App, address: str = OLD) -> str:
    number = app.subscribers.person(address).subscriptions[0].id
    return f"/p/{app.tokens.make(Purpose.PREFERENCES, number)}"


def ask(app: App, pages: Pages, address: str = NEW) -> str:
    answer = pages.post(f"{preferences(app)}/address", data={"address": address})
    assert answer.status_code == 200
    return answer.text


def letters(app: App) -> dict[str, tuple[str, str]]:
    """What goes out: (address, link) by kind of letter."""
    claimed = app.ledger.claim(owner="me", limit=99, now=app.clock.now(), lease=timedelta(hours=1))
    found = {}
    for each in claimed:
        content = app.mailroom.message(each).content.decode()
        (link,) = set(re.findall(r"http://127\.0\.0\.1:8080(/a/[a-z0-9]{29})", content.replace("=\r\n", "")))
        found[each.batch.partition("/")[0]] = (each.address, link)
    return found


def test_an_address_changes_when_both_have_confirmed_and_the_record_goes_with_the_person(
    app: App, pages: Pages
) -> None:
    assert 'name="address"' in pages.get(preferences(app)).text
    before = app.subscribers.person(OLD)
    ask(app, pages)
    asked = letters(app)
    assert {kind: address for kind, (address, _) in asked.items()} == {"move-from": OLD, "move-to": NEW}
    links = [link for _, link in asked.values()]

    assert "Confirm that you want" in pages.get(links[0]).text
    assert "other address" in pages.post(links[1]).text
    assert app.subscribers.by_address(OLD) is not None, "one of the two is not enough"
    assert "Done: your mails" in pages.post(links[0]).text

    person = app.subscribers.person(NEW)
    assert (person.subscriber.id, person.subscriber.address) == (before.subscriber.id, NEW)
    assert person.subscriptions == before.subscriptions
    assert person.consents[: len(before.consents)] == before.consents
    added = person.consents[len(before.consents) :]
    assert {(each.before, each.after, each.source, bool(each.token)) for each in added} == {
        (SubscriptionState.ACTIVE, SubscriptionState.ACTIVE, "change of address", True)
    }
    assert app.subscribers.by_address(OLD) is None
    assert [pages.get(each).status_code for each in links] == [410, 410]


def test_no_letter_says_who_asked_or_for_which_address(app: App, pages: Pages) -> None:
    ask(app, pages)
    claimed = app.ledger.claim(owner="me", limit=99, now=app.clock.now(), lease=timedelta(hours=1))
    content = {each.address: app.mailroom.message(each).content for each in claimed}
    assert OLD.encode() not in content[NEW]
    assert b"Ann <" not in content[NEW]
    assert b"new.example" not in content[OLD].lower()


@pytest.mark.parametrize("address", ["bob@example.org", "never@example.org", "no address", "new@example.org"])
def test_the_answer_is_the_same_whatever_is_known_of_the_new_address(app: App, pages: Pages, address: str) -> None:
    bob = Newcomer(address="bob@example.org", lists=("brief",))
    app.subscribers.add([bob], confirmed=True, source="test", text="", now=app.clock.now())
    app.subscribers.suppress(
        "never@example.org", reason="complaint", kind=SuppressionKind.COMPLAINT, now=app.clock.now()
    )
    assert ask(app, pages, address) == ask(app, pages, "other@example.org")


def test_an_address_that_somebody_has_is_not_taken_from_them(app: App, pages: Pages) -> None:
    bob = Newcomer(address=NEW, lists=("brief",))
    app.subscribers.add([bob], confirmed=True, source="test", text="", now=app.clock.now())
    ask(app, pages)
    answers = [pages.post(link).text for _, link in letters(app).values()]
    assert "gets our mails already" in answers[1]
    assert app.subscribers.person(OLD).subscriber.id != app.subscribers.person(NEW).subscriber.id


def test_nobody_is_written_to_who_must_not_be_and_a_later_wish_ends_an_earlier_one(app: App, pages: Pages) -> None:
    app.subscribers.suppress(NEW, reason="complaint", kind=SuppressionKind.COMPLAINT, now=app.clock.now())
    ask(app, pages)
    asked = letters(app)
    assert set(asked) == {"move-from"}
    ask(app, pages, "other@example.org")
    assert pages.post(asked["move-from"][1]).status_code == 410
    assert set(letters(app)) == {"move-from", "move-to"}


def test_a_wish_is_good_for_a_week_and_then_forgotten(app: App, pages: Pages) -> None:
    ask(app, pages)
    link = letters(app)["move-to"][1]
    app.clock = Ahead(timedelta(days=8))
    assert pages.get(link).status_code == 410
    app.subscribers.forget_unconfirmed([], before=app.clock.now(), now=app.clock.now())
    app.clock = Ahead(timedelta(0))
    assert pages.get(link).status_code == 410, "the address is gone, whatever the clock says"


def test_wishes_fill_nobodys_mailbox(app: App, pages: Pages) -> None:
    for _ in range(3):
        ask(app, pages)
    assert len(app.ledger.claim(owner="me", limit=99, now=app.clock.now(), lease=timedelta(hours=1))) == 2
    ask(app, pages, "other@example.org")
    kinds = [kind for kind, _, _ in app.subscribers.person(OLD).letters]
    assert kinds == [LetterKind.MOVE_TO, LetterKind.MOVE_FROM], "three wishes a day"


def test_who_is_erased_takes_their_wish_along(app: App, pages: Pages) -> None:
    ask(app, pages)
    link = letters(app)["move-to"][1]
    app.subscribers.erase(OLD, source="cli", now=datetime.now(UTC))
    assert pages.get(link).status_code == 410
    assert (
        b"new.example"
        not in b"".join(path.read_bytes() for path in (app.site.folder / "var").glob("newsletter.db*")).lower()
    )
