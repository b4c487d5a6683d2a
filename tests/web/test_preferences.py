"""A reader's own page: what they want is kept, what is known about them is theirs, and they can be forgotten."""

from __future__ import annotations

import json
import re

import pytest

from newsletter.app import App
from newsletter.errors import NotFoundError
from newsletter.model.subscriber import Newcomer, Subscription, SubscriptionState
from newsletter.readers.tokens import Purpose, token_id
from tests.web.pages import Pages

ANN = "ann@example.org"
STONES, SEAS = "Stones & <Fields>", "Seas and Ports"
SAVE = {"save": "yes", "format": "html", "language": "", "rhythm.brief": "each", "tracking": "yes"}


@pytest.fixture
def where(app: App) -> str:
    """Ann's page; she is on the brief alone."""
    newcomer = Newcomer(address=ANN, name="Ann", lists=("brief",), language="ga", fields=(("town", "Cork"),))
    app.subscribers.add([newcomer], confirmed=True, source="test", text="", now=app.clock.now())
    return f"/p/{app.tokens.make(Purpose.PREFERENCES, brief(app).id)}"


def brief(app: App) -> Subscription:
    return next(each for each in app.subscribers.person(ANN).subscriptions if each.list_id == "brief")


def ticked(page: str) -> list[str]:
    """The values of what is chosen on a page, in its order."""
    return re.findall(r'value="([^"]*)"(?: lang="\w+" dir="\w+")? (?:checked|selected)', page)


def test_who_chose_nothing_sees_everything_chosen(pages: Pages, where: str) -> None:
    assert ticked(pages.get(where).text) == ["each", SEAS, "Stones &amp; &lt;Fields&gt;", "html", "", "yes"]


def test_what_is_saved_is_kept_and_shown(app: App, pages: Pages, where: str) -> None:
    form = {
        "save": "yes",
        "rhythm.brief": "weekly",
        "topics.brief": STONES,
        "format": "text",
        "language": "ar",
        "topics.weekend": SEAS,
        "rhythm.weekend": "weekly",
    }
    shown = pages.post(where, data=form)
    assert ("Saved" in shown.text, 'lang="ar"' in shown.text) == (False, True), "from now on in Arabic"
    assert ticked(pages.get(where).text) == ["weekly", "Stones &amp; &lt;Fields&gt;", "text", "ar"]
    ann = app.subscribers.person(ANN)
    assert (ann.subscriber.text_only, ann.subscriber.tracking, ann.subscriber.language) == (True, False, "ar")
    assert [(each.list_id, each.weekly, each.topics) for each in ann.subscriptions] == [("brief", True, (STONES,))]

    pages.post(where, data=SAVE | {"topics.brief": [STONES, SEAS], "language": "de"})
    assert (brief(app).weekly, brief(app).topics) == (False, ())
    assert app.subscribers.person(ANN).subscriber.language == "de"


def test_a_language_that_we_do_not_write_in_is_not_forgotten(app: App, pages: Pages, where: str) -> None:
    pages.post(where, data=SAVE)
    assert app.subscribers.person(ANN).subscriber.language == "ga"


def test_looking_and_forms_that_are_not_ours_change_nothing(app: App, pages: Pages, where: str) -> None:
    before = app.subscribers.person(ANN)
    for look in (where, f"{where}/data", f"{where}/erase"):
        assert pages.get(look).status_code == 200
    for form in ({}, {"format": "text"}, {"join": "no-such-list"}, {"list": "no-such-list"}):
        assert pages.post(where, data=form).status_code == 200
    assert "<form" in pages.post(f"{where}/erase", data={"sure": ""}).text
    assert app.subscribers.person(ANN) == before


def test_another_list_is_joined_as_by_its_own_page(app: App, pages: Pages, where: str) -> None:
    assert "Join The &lt;Weekend&gt;" in pages.get(where).text
    pages.post(where, data={"join": "weekend"})
    states = {each.list_id: each.state for each in app.subscribers.person(ANN).subscriptions}
    assert states == {"brief": SubscriptionState.ACTIVE, "weekend": SubscriptionState.ACTIVE}
    pages.post(where, data={"list": "brief"})
    pages.post(where, data={"join": "brief"})
    assert brief(app).state is SubscriptionState.PENDING, "a link in an old mail brings nobody back by itself"
    assert "Waiting for your confirmation" in pages.get(where).text


def test_everything_known_about_somebody_is_theirs_to_take(pages: Pages, where: str) -> None:
    pages.post(f"{where}/address", data={"address": "ann@new.example"})
    answer = pages.get(f"{where}/data")
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert "no-store" in answer.headers["cache-control"]
    told = json.loads(answer.text)
    assert (told["address"], told["name"], told["fields"]) == (ANN, "Ann", {"town": "Cork"})
    assert told["wanted_address"] == "ann@new.example"
    (subscription,) = told["subscriptions"]
    assert (subscription["list"], subscription["rhythm"], subscription["topics"]) == ("brief", "each", [])
    assert subscription["consent"][0]["source"] == "test"


def test_who_asks_twice_is_forgotten_and_their_link_leads_nowhere(app: App, pages: Pages, where: str) -> None:
    assert "cannot be undone" in pages.get(f"{where}/erase").text
    assert pages.post(f"{where}/erase", data={"sure": "yes"}).status_code == 200
    with pytest.raises(NotFoundError):
        app.subscribers.person(ANN)
    assert app.subscribers.is_suppressed(ANN)
    for look in (where, f"{where}/data", f"{where}/erase"):
        assert pages.get(look).status_code == 404


def test_the_record_of_consent_has_what_the_page_said_and_which_link_it_was(app: App, pages: Pages, where: str) -> None:
    pages.post(where, data={"list": "brief"})
    pages.post(where, data={"join": "weekend"})
    left, joined = app.subscribers.person(ANN).consents[-2:]
    assert (left.after, joined.after) == (SubscriptionState.LEFT, SubscriptionState.ACTIVE)
    assert "Leave" in left.text
    assert "Join" in joined.text
    assert left.token == joined.token == token_id(where.removeprefix("/p/"))
