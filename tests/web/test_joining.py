"""Signing up and confirming on the pages: what is taken, what is recorded, and whom nobody can flood."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from newsletter.app import App
from newsletter.model.subscriber import Newcomer, SubscriptionState
from newsletter.readers.signup import SignUps, network_of
from newsletter.readers.tokens import Purpose, token_id
from tests.web.pages import Pages

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
BEGUN = datetime.now(UTC)
ANN = "ann@example.org"
FORMS = SignUps(b"a key for tests, sixteen")
AGAIN = "press the button once more"


def test_a_form_knows_how_old_it_is_and_which_words_it_showed() -> None:
    stamp = FORMS.stamp("Subscribe", now=NOW)
    later = NOW + timedelta(seconds=4)
    assert FORMS.age(stamp, "Subscribe", now=later) == timedelta(seconds=4)
    assert FORMS.age(stamp, "Subscribe me", now=later) is None
    assert FORMS.age(stamp, "Subscribe", now=NOW + timedelta(days=3)) is None
    assert SignUps(b"another key, of sixteen").age(stamp, "Subscribe", now=later) is None
    older = f"{int(NOW.timestamp()) - 9}.{stamp.partition('.')[2]}"
    for wrong in ("", ".", "x", "9" * 40, older, f"{stamp}x", "٣.x", "1.é"):
        assert FORMS.age(wrong, "Subscribe", now=later) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("unknown", "unknown", True),
    ],
)
def test_a_household_is_counted_as_one(one: str, other: str, *, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same
    assert (FORMS.network(one) == FORMS.network(other)) is same
    assert one not in FORMS.network(one)


@dataclass(frozen=True, slots=True)
class Ahead:
    """A clock that stands still, some time after this file was read: however slow the machine is, nobody gets older."""

    ahead: timedelta

    def now(self) -> datetime:
        return BEGUN + self.ahead


def read_form(app: App, pages: Pages, path: str = "/lists/brief", *, seconds: int = 5) -> str:
    """The stamp of a form that somebody has had before them for some seconds."""
    (stamp,) = re.findall(r'name="shown" value="([^"]+)"', pages.get(path).text)
    app.clock = Ahead(app.clock.now() - BEGUN + timedelta(seconds=seconds))
    return str(stamp)


def sign_up(pages: Pages, address: str, *, stamp: str | None = None, to: str = "brief") -> str:
    form = {"address": address} | ({"shown": stamp} if stamp is not None else {})
    answer = pages.post(f"/lists/{to}/subscribe", data=form)
    assert answer.status_code == 200
    return answer.text


def consents(app: App, address: str = ANN) -> list[tuple[str, str, str]]:
    return [(each.source, each.text, each.token) for each in app.subscribers.person(address).consents]


def test_the_record_has_the_words_that_were_shown_and_the_link_that_was_used(app: App, pages: Pages) -> None:
    sign_up(pages, ANN, stamp=read_form(app, pages))
    (subscription,) = app.subscribers.person(ANN).subscriptions
    token = app.tokens.make(Purpose.CONFIRM, subscription.id)
    pages.post(f"/c/{token}")

    asked, confirmed = consents(app)

    assert asked[0] == "web"
    for shown in ("Your mail address", "Subscribe", "We write to you first to ask", "leave with one click"):
        assert shown in asked[1]
    assert "<" not in asked[1]
    assert "Leave this empty" not in asked[1]  # it stands there for robots alone
    assert confirmed == ("confirm link", "Confirm that you want to get The Brief. Yes, subscribe me", token_id(token))
    assert token not in repr(app.subscribers.person(ANN))
    versions = [each.version for each in app.subscribers.person(ANN).consents]
    assert versions == [sha256(text.encode()).hexdigest() for _, text, _ in (asked, confirmed)]


def test_words_are_recorded_in_the_language_in_which_they_were_read(app: App, pages: Pages) -> None:
    german = {"accept-language": "de"}
    (stamp,) = re.findall(r'name="shown" value="([^"]+)"', pages.get("/lists/brief", headers=german).text)
    pages.post("/lists/brief/subscribe", data={"address": ANN, "shown": stamp}, headers=german)
    assert "Mailadresse" in consents(app)[0][1]


def test_a_form_of_somebody_elses_is_taken_and_claims_no_words(app: App, pages: Pages) -> None:
    sign_up(pages, ANN)
    sign_up(pages, "bob@example.org", stamp="1.forged")
    assert consents(app) == consents(app, "bob@example.org") == [("web, by a form that was not ours", "", "")]


@pytest.mark.parametrize("stamped", [True, False])
def test_of_forms_that_nobody_can_have_read_a_few_are_taken_and_then_people_press_twice(
    app: App, pages: Pages, *, stamped: bool
) -> None:
    app.clock = Ahead(timedelta(0))
    stamp = read_form(app, pages, seconds=0) if stamped else None
    for number in range(20):
        assert AGAIN not in sign_up(pages, f"r{number}@example.org", stamp=stamp)

    answers = {sign_up(pages, address, stamp=stamp) for address in ("one@example.org", "r1@example.org")}

    assert all(AGAIN in answer for answer in answers)
    assert len({re.sub(r'value="[^"]*"', "", answer) for answer in answers}) == 1, "whoever is known"
    assert app.subscribers.by_address("one@example.org") is None
    (address,) = {found for answer in answers for found in re.findall(r'value="(one@[^"]+)"', answer)}
    second = read_form(app, pages)
    app.clock = Ahead(timedelta(hours=1))  # or the network has had its twenty
    assert AGAIN not in sign_up(pages, address, stamp=second)
    assert app.subscribers.by_address(address) is not None


def test_a_flood_of_sign_ups_from_one_host_is_swallowed(app: App, pages: Pages) -> None:
    app.clock = Ahead(timedelta(0))
    stamp = read_form(app, pages)
    assert len({sign_up(pages, f"r{number}@example.org", stamp=stamp) for number in range(25)}) == 1
    assert app.subscribers.count("brief", SubscriptionState.PENDING) == 20


def test_an_address_is_asked_once_an_hour_for_whatever_list_and_five_times_a_day(app: App, pages: Pages) -> None:
    lists = [f"list-{number}" for number in range(9)]
    for list_id in lists:
        newcomer = Newcomer(address=ANN, lists=(list_id,))
        app.subscribers.add([newcomer], confirmed=False, source="web", text="", now=NOW, by_person=True)
    due: list[int] = []
    for hour in range(8):
        claimed = app.ledger.claim(owner="me", limit=20, now=NOW + timedelta(hours=hour), lease=timedelta(days=9))
        due.append(len(claimed))
    assert due == [1, 1, 1, 1, 1, 0, 0, 0]
    assert app.subscribers.count("list-8", SubscriptionState.PENDING) == 1


def test_a_letter_that_asks_carries_no_words_of_who_asked(app: App, pages: Pages) -> None:
    newcomer = Newcomer(address=ANN, name="WIN A PRIZE at evil.example", lists=("brief",))
    app.subscribers.add([newcomer], confirmed=False, source="import", text="", now=app.clock.now())
    (claimed,) = app.ledger.claim(owner="me", limit=9, now=app.clock.now(), lease=timedelta(hours=1))
    assert b"PRIZE" not in app.mailroom.message(claimed).content


def test_who_was_erased_signs_up_again_and_is_told_nothing_else(app: App, pages: Pages) -> None:
    sign_up(pages, ANN)
    app.subscribers.erase(ANN, source="cli", now=app.clock.now())
    answers = {sign_up(pages, address) for address in (ANN, "new@example.org")}
    assert len(answers) == 1
    (subscription,) = app.subscribers.person(ANN).subscriptions
    pages.post(f"/c/{app.tokens.make(Purpose.CONFIRM, subscription.id)}")
    assert app.subscribers.person(ANN).subscriptions[0].state is SubscriptionState.ACTIVE
