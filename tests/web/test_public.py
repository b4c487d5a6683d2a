"""The public pages, asked without a network: who may change what, and what every answer has."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from newsletter.app import App
from newsletter.model.edition import EditionState
from newsletter.model.item import ItemState
from newsletter.model.subscriber import Newcomer, SubscriptionState
from newsletter.readers.tokens import Purpose
from tests.web.pages import Pages

ANN = "ann@example.org"


def subscribed(app: App, *lists: str, confirmed: bool = True) -> dict[str, int]:
    """Ann's subscription ids by list."""
    newcomer = Newcomer(address=ANN, lists=lists or ("brief",))
    app.subscribers.add([newcomer], confirmed=confirmed, source="test", text="", now=app.clock.now())
    return {each.list_id: each.id for each in app.subscribers.person(ANN).subscriptions}


def state(app: App, list_id: str = "brief") -> SubscriptionState:
    return next(each.state for each in app.subscribers.person(ANN).subscriptions if each.list_id == list_id)


def link(app: App, purpose: Purpose, subscription_id: int) -> str:
    return f"/{purpose.value[0]}/{app.tokens.make(purpose, subscription_id)}"


ONE_CLICK = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (ONE_CLICK, b"List-Unsubscribe=One-Click"),
        ({"content-type": "multipart/form-data; boundary=x"}, b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'),
        ({"content-type": "multipart/form-data; boundary=x"}, b"--x\r\nbroken"),
        ({"content-type": "multipart/form-data"}, b"no boundary"),
        (ONE_CLICK, b"List-Unsubscribe=One-Click&" + b"x" * 200_000),
        ({"content-type": "text/plain"}, b"\xff\xfe\x00"),
        ({}, b""),
    ],
    ids=["one-click", "multipart", "broken", "no boundary", "large", "no form", "empty"],
)  # fmt: skip
def test_leaving_is_one_post_whatever_is_in_it(app: App, pages: Pages, headers: dict[str, str], body: bytes) -> None:
    where = link(app, Purpose.UNSUBSCRIBE, subscribed(app)["brief"])
    assert pages.get(where).status_code == 200
    assert pages.head(where).status_code == 200
    assert state(app) is SubscriptionState.ACTIVE, "looking changes nothing"

    answer = pages.post(where, content=body, headers=headers)

    assert (answer.status_code, state(app)) == (200, SubscriptionState.LEFT)
    assert pages.post(where, content=body, headers=headers).status_code == 200, "a second time is fine"


def test_who_complained_stays_suppressed_when_they_also_leave(app: App, pages: Pages) -> None:
    where = link(app, Purpose.UNSUBSCRIBE, subscribed(app)["brief"])
    app.subscribers.suppress(ANN, reason="complaint", now=app.clock.now())

    assert pages.post(where).status_code == 200

    assert state(app) is SubscriptionState.SUPPRESSED


def test_confirming_takes_a_post_and_an_old_link_brings_nobody_back(app: App, pages: Pages) -> None:
    number = subscribed(app, confirmed=False)["brief"]
    where = link(app, Purpose.CONFIRM, number)
    assert pages.get(where).status_code == 200
    assert state(app) is SubscriptionState.PENDING

    confirmed = [pages.post(where).status_code for _ in range(2)]

    assert (confirmed, state(app)) == ([200, 200], SubscriptionState.ACTIVE)
    pages.post(link(app, Purpose.UNSUBSCRIBE, number))
    assert [pages.get(where).status_code, pages.post(where).status_code] == [410, 410]
    assert state(app) is SubscriptionState.LEFT


def test_who_confirms_too_late_is_told_so(app: App, pages: Pages) -> None:
    where = link(app, Purpose.CONFIRM, subscribed(app, confirmed=False)["brief"])
    later = app.clock.now() + timedelta(days=31)
    assert app.subscribers.forget_unconfirmed(["brief"], before=later, now=later) == 1
    assert [pages.get(where).status_code, pages.post(where).status_code] == [410, 410]


def test_a_token_opens_its_own_page_only(app: App, pages: Pages) -> None:
    number = subscribed(app)["brief"]
    purposes = (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.CONFIRM)
    for purpose in Purpose:
        token = app.tokens.make(purpose, number)
        opened = {other for other in purposes if pages.get(f"/{other.value[0]}/{token}").status_code != 404}
        assert opened == {purpose} & set(purposes)
        assert pages.post(f"/u/{token}").status_code == (200 if purpose is Purpose.UNSUBSCRIBE else 404)
    assert pages.get(f"/u/{app.tokens.make(Purpose.UNSUBSCRIBE, number).upper()}").status_code == 200
    for wrong in ("", "x", "a" * 29, "%2e%2e", "%00", app.tokens.make(Purpose.UNSUBSCRIBE, 999_999)):
        answer = pages.get(f"/u/{wrong}")
        assert answer.status_code == 404
        assert "no-store" in answer.headers["cache-control"]


def test_preferences_show_all_lists_and_leave_one(app: App, pages: Pages) -> None:
    where = link(app, Purpose.PREFERENCES, subscribed(app, "brief", "weekend")["weekend"])
    shown = pages.get(where).text
    assert shown.count(">Leave The") == 2
    assert "Leave The &lt;Weekend&gt;" in shown
    assert "The <Weekend>" not in shown

    after = pages.post(where, data={"list": "brief"})

    assert (state(app, "brief"), state(app, "weekend")) == (SubscriptionState.LEFT, SubscriptionState.ACTIVE)
    assert after.text.count(">Leave The") == 1
    pages.post(where, data={"list": "no-such-list"})
    assert state(app, "weekend") is SubscriptionState.ACTIVE


def test_signing_up_gets_the_same_answer_whatever_is_known_of_the_address(app: App, pages: Pages) -> None:
    subscribed(app)
    app.subscribers.suppress("never@example.org", reason="asked us", now=app.clock.now())
    forms = [
        {"address": ANN},
        {"address": "new@example.org"},
        {"address": "never@example.org"},
        {"address": "no address"},
        {"address": "a@b\r\nBcc: all@example.net"},
        {"address": "\ud800@example.org".encode("utf-8", "surrogatepass").decode("latin-1")},
        {"address": "robot@example.org", "website": "https://spam.example"},
        {},
    ]

    answers = [pages.post("/lists/brief/subscribe", data=form) for form in forms]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert app.subscribers.by_address("new@example.org") is not None
    assert app.subscribers.person("new@example.org").subscriptions[0].state is SubscriptionState.PENDING
    assert app.subscribers.by_address("never@example.org") is None
    assert app.subscribers.by_address("robot@example.org") is None, "robots fill in what people do not see"
    assert app.subscribers.count("brief", SubscriptionState.PENDING) == 1


def test_a_list_that_asks_nobody_to_confirm_promises_no_mail_that_asks(app: App, pages: Pages) -> None:
    shown = pages.get("/lists/weekend").text
    answers = [pages.post("/lists/weekend/subscribe", data={"address": each}).text for each in (ANN, ANN, "no address")]

    assert "ask whether it was you" not in shown
    assert "ask whether it was you" in pages.get("/lists/brief").text
    assert len(set(answers)) == 1
    assert "confirm" not in answers[0]
    assert state(app, "weekend") is SubscriptionState.ACTIVE


def test_who_left_comes_back_by_signing_up_and_confirming(app: App, pages: Pages) -> None:
    number = subscribed(app)["brief"]
    pages.post(link(app, Purpose.UNSUBSCRIBE, number))

    pages.post("/lists/brief/subscribe", data={"address": ANN})

    assert state(app) is SubscriptionState.PENDING
    pages.post(link(app, Purpose.CONFIRM, number))
    assert state(app) is SubscriptionState.ACTIVE


def test_a_form_larger_than_ours_is_refused(pages: Pages) -> None:
    assert pages.post("/lists/brief/subscribe", data={"address": "x" * 100_000}).status_code == 413
    many = {f"f{number}": "x" for number in range(100)}
    assert pages.post("/lists/brief/subscribe", data=many).status_code == 400


def test_only_what_an_editor_let_go_is_in_the_archive(app: App, pages: Pages) -> None:
    subscribed(app)
    edition_id = asyncio.run(app.compose("daily")).edition_id
    assert edition_id is not None
    assert pages.get("/archive/brief/1").status_code == 404
    assert "The quiet contest" not in pages.get("/archive/brief").text

    app.decide(edition_id, EditionState.APPROVED)

    assert 'href="http://127.0.0.1:8080/archive/brief/1"' in pages.get("/archive/brief").text
    assert "The quiet contest" in pages.get("/archive/brief/1").text
    app.decide(edition_id, EditionState.CANCELLED)
    assert pages.get("/archive/brief/1").status_code == 404
    assert app.items.listed(state=ItemState.ACCEPTED)


def test_an_edition_in_the_archive_is_nobodys(app: App, pages: Pages) -> None:
    subscribed(app)
    edition_id = asyncio.run(app.compose("daily")).edition_id
    assert edition_id is not None
    app.decide(edition_id, EditionState.APPROVED)
    rendered = app.editions.rendered(edition_id)

    page = pages.get("/archive/brief/1").text

    assert rendered.nonce not in page
    assert not re.search(r"/[upc]/", page)
    assert ANN not in page
    for number in range(1, 4):
        for purpose in Purpose:
            assert app.tokens.make(purpose, number) not in page


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/archive", 200),
        ("/archive/brief", 200),
        ("/lists/brief", 200),
        ("/archive/none", 404),
        ("/archive/brief/99", 404),
        ("/archive/brief/99999999999999999999999999", 404),
        ("/archive/brief/x", 404),
        ("/lists/none", 404),
        ("/nowhere", 404),
        ("/lists/brief/subscribe", 405),
        ("/u/x", 404),
    ],
)
def test_every_page_has_the_headers_that_keep_scripts_frames_and_referrers_out(
    pages: Pages, path: str, status: int
) -> None:
    answer = pages.get(path)

    assert answer.status_code == status
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "set-cookie" not in answer.headers
    assert "<script" not in answer.text
    assert "Traceback" not in answer.text


def test_the_front_page_is_the_archive(pages: Pages) -> None:
    assert pages.get("/").headers["location"] == "http://127.0.0.1:8080/archive"


def test_the_probe_is_told_how_it_is_and_a_broken_store_is_a_503_that_tells_nothing(app: App, pages: Pages) -> None:
    assert pages.get("/healthz").json() == {
        "ok": True,
        "feeds": 1,
        "feeds_failing": 0,
        "hubs_live": 0,
        "next_delivery_at": None,
    }
    where = link(app, Purpose.UNSUBSCRIBE, subscribed(app)["brief"])
    app.close()
    for file in (app.site.folder / "var").glob("newsletter.db*"):
        file.write_bytes(b"this is no database" * 1000)

    for path in ("/healthz", where):
        answer = pages.get(path)
        assert answer.status_code == 503
        assert "try again" in answer.text
        assert "database" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
