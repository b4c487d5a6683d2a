"""Leaving on the pages: one list or all, and why."""

from __future__ import annotations

import re

from newsletter.app import App
from newsletter.model.subscriber import Newcomer, SubscriptionState
from newsletter.readers.tokens import Purpose
from tests.web.pages import Pages

ANN = "ann@example.org"
ACTIVE, LEFT = SubscriptionState.ACTIVE, SubscriptionState.LEFT


def join(app: App, *lists: str, address: str = ANN) -> str:
    """The path of the link by which somebody leaves the first of these lists."""
    newcomer = Newcomer(address=address, lists=lists)
    app.subscribers.add([newcomer], confirmed=True, source="test", text="", now=app.clock.now())
    ids = {each.list_id: each.id for each in app.subscribers.person(address).subscriptions}
    return f"/u/{app.tokens.make(Purpose.UNSUBSCRIBE, ids[lists[0]])}"


def states(app: App) -> dict[str, SubscriptionState]:
    return {each.list_id: each.state for each in app.subscribers.person(ANN).subscriptions}


def test_after_one_list_all_others_can_be_left_too(app: App, pages: Pages) -> None:
    where = join(app, "brief", "weekend")
    left = pages.post(where, data={"by": "page"})
    assert states(app) == {"brief": LEFT, "weekend": ACTIVE}
    assert "You are still on: The &lt;Weekend&gt;." in left.text

    everything = pages.post(where, data={"by": "page", "all": "yes"})

    assert states(app) == {"brief": LEFT, "weekend": LEFT}
    assert "You are still on" not in everything.text
    assert "set-cookie" not in everything.headers
    sources = [each.source for each in app.subscribers.person(ANN).consents if each.after is LEFT]
    assert sources == ["page", "page, everything"]


def test_one_click_leaves_one_list_alone(app: App, pages: Pages) -> None:
    pages.post(join(app, "brief", "weekend"), data={"List-Unsubscribe": "One-Click"})
    assert states(app) == {"brief": LEFT, "weekend": ACTIVE}


def test_the_page_is_on_record_with_its_words_and_one_click_without_any(app: App, pages: Pages) -> None:
    pages.post(join(app, "brief"), data={"by": "page"})
    pages.post(join(app, "weekend"), data={"List-Unsubscribe": "One-Click"})
    said = {
        each.list_id: (each.source, each.text) for each in app.subscribers.person(ANN).consents if each.after is LEFT
    }
    assert said == {
        "brief": ("page", "You will get no more editions of The Brief. Leave"),
        "weekend": ("one-click", ""),
    }


def test_why_somebody_left_is_asked_afterwards_and_kept_without_who(app: App, pages: Pages) -> None:
    where = join(app, "brief")
    assert 'name="why"' not in pages.get(where).text
    assert 'name="why"' in pages.post(where, data={"by": "page"}).text

    thanked = pages.post(where, data={"by": "page", "why": "too-often", "words": " Every  day!\r\n" + "x" * 900})

    assert "Thank you for telling us." in thanked.text
    (departed,) = app.departures.listed()
    assert (departed.list_id, departed.reason, departed.many) == ("brief", "too-often", 1)
    assert re.fullmatch(r"Every day! x+…", departed.words[0])
    assert len(departed.words[0]) <= 500


def test_reasons_are_counted_once_for_each_link_and_only_those_we_ask_for(app: App, pages: Pages) -> None:
    for address in (ANN, "bob@example.org"):
        where = join(app, "brief", address=address)
        for why in ("because", "elsewhere", "elsewhere", "other"):
            pages.post(where, data={"by": "page", "why": why})
    assert [(each.reason, each.many, each.words) for each in app.departures.listed()] == [("elsewhere", 2, ())]


def test_who_was_erased_may_press_the_link_and_is_told_nothing_of_them(app: App, pages: Pages) -> None:
    where = join(app, "brief", "weekend")
    app.subscribers.erase(ANN, source="cli", now=app.clock.now())
    answer = pages.post(where, data={"by": "page", "all": "yes"})
    assert answer.status_code == 200
    assert "You are still on" not in answer.text
