"""Who may ask, from where, and how much."""

from __future__ import annotations

import pytest

from newsletter.app import App
from newsletter.model.subscriber import Newcomer, SubscriptionState
from newsletter.readers.tokens import Purpose
from tests.web.pages import Pages

ANN = "ann@example.org"


@pytest.fixture
def subscription_id(app: App) -> int:
    app.subscribers.add(
        [Newcomer(address=ANN, lists=("brief",))], confirmed=True, source="t", text="", now=app.clock.now()
    )
    return app.subscribers.person(ANN).subscriptions[0].id


def state(app: App) -> SubscriptionState:
    return app.subscribers.person(ANN).subscriptions[0].state


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200), ("localhost", 200), ("LOCALHOST:9", 200), ("[::1]:8080", 200), ("evil.example", 421),
        ("127.0.0.1.evil.example", 421), ("", 421), ("127.0.0.1:8080/x", 421), ("[", 421), ("a@127.0.0.1", 421),
    ],
)  # fmt: skip
def test_pages_answer_to_their_own_name_only(pages: Pages, host: str, status: int) -> None:
    assert pages.get("/archive", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:8080"}, 200),
        ({"sec-fetch-site": "none", "origin": "null"}, 200),
        ({"origin": "http://127.0.0.1:8080"}, 200),
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site", "origin": "null"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
    ],
)
def test_forms_of_other_sites_change_nothing(
    app: App, pages: Pages, subscription_id: int, headers: dict[str, str], status: int
) -> None:
    where = f"/p/{app.tokens.make(Purpose.PREFERENCES, subscription_id)}"

    assert pages.post(where, data={"list": "brief"}, headers=headers).status_code == status

    assert (state(app) is SubscriptionState.LEFT) == (status == 200)


def test_a_one_click_post_is_taken_from_wherever_it_comes(app: App, pages: Pages, subscription_id: int) -> None:
    where = f"/u/{app.tokens.make(Purpose.UNSUBSCRIBE, subscription_id)}"
    strange = {"host": "old.example", "origin": "https://mail.example", "sec-fetch-site": "cross-site"}

    assert pages.post(where, content=b"x" * 200_000, headers=strange).status_code == 200

    assert state(app) is SubscriptionState.LEFT


def test_a_body_larger_than_any_form_is_refused_also_when_its_length_is_not_said(pages: Pages) -> None:
    async def endless() -> object:
        for _ in range(100):
            yield b"x" * 10_000

    form = {"content-type": "application/x-www-form-urlencoded"}
    assert pages.post("/lists/brief/subscribe", content=endless(), headers=form).status_code == 413
    assert (
        pages.post("/lists/brief/subscribe", content=b"", headers=form | {"content-length": "99999999"}).status_code
        == 413
    )


def test_a_link_cannot_be_used_to_keep_the_store_busy_but_leaving_is_never_too_often(
    app: App, pages: Pages, subscription_id: int
) -> None:
    change, leave = (
        f"/{purpose[0]}/{app.tokens.make(purpose, subscription_id)}"
        for purpose in (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE)
    )

    answers = [pages.post(change).status_code for _ in range(61)]

    assert answers == [200] * 60 + [429]
    assert pages.post(change).headers["retry-after"] == "3600"
    assert {pages.post(leave).status_code for _ in range(70)} == {200}


def test_a_method_that_is_not_taken_is_told_which_are(pages: Pages) -> None:
    answer = pages.get("/lists/brief/subscribe")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
