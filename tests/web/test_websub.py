"""Where hubs reach us: questions back, and pushes that are kept only if they are signed."""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import structlog

from newsletter.app import App
from newsletter.model.hub import HubState, HubSubscription
from newsletter.store.hubs import MOST_WAITING
from tests.site.partner import Article, feed_of
from tests.web.hubs import SUBSCRIPTION
from tests.web.pages import Pages

WHERE = f"/websub/{SUBSCRIPTION.token.reveal()}"
QUESTION = {
    "hub.mode": "subscribe",
    "hub.topic": SUBSCRIPTION.topic,
    "hub.challenge": "<b>a challenge</b>",
    "hub.lease_seconds": "86400",
}
CONTENT = feed_of(Article(headline="The harbour freezes over"))


def active(app: App) -> HubSubscription:
    """The subscription, confirmed."""
    one = replace(SUBSCRIPTION, state=HubState.ACTIVE, leased_until=app.clock.now() + timedelta(days=1))
    app.hubs.add(one)
    return one


def signed(content: bytes, *, method: str = "sha256", secret: str = SUBSCRIPTION.secret.reveal()) -> dict[str, str]:
    return {"x-hub-signature": f"{method}={hmac.new(secret.encode(), content, method).hexdigest()}"}


def push(pages: Pages, content: bytes = CONTENT, headers: dict[str, str] | None = None, **what: Any) -> httpx.Response:
    headers = signed(content) if headers is None else headers
    return pages.post(WHERE, content=content, headers={"content-type": "application/rss+xml"} | headers, **what)


def test_a_hub_that_asks_back_gets_its_challenge_as_plain_text(app: App, pages: Pages) -> None:
    app.hubs.add(SUBSCRIPTION)

    answer = pages.get(WHERE, params=QUESTION)

    assert (answer.status_code, answer.text) == (200, "<b>a challenge</b>")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    (one,) = app.hubs.listed()
    assert one.state is HubState.ACTIVE
    assert one.is_live(app.clock.now() + timedelta(hours=23))
    assert pages.get(WHERE, params=QUESTION).status_code == 200, "its hub may ask twice"


@pytest.mark.parametrize(
    "wrong",
    [
        {"hub.topic": "https://harbour.example/other"},
        {"hub.mode": "unsubscribe"},
        {"hub.mode": "publish"},
        {"hub.challenge": ""},
    ],
)
def test_what_nobody_asked_for_is_not_confirmed(app: App, pages: Pages, wrong: dict[str, str]) -> None:
    app.hubs.add(SUBSCRIPTION)
    assert pages.get(WHERE, params=QUESTION | wrong).status_code == 404
    assert app.hubs.listed() == (SUBSCRIPTION,)


def test_an_address_that_nobody_was_given_is_not_there(app: App, pages: Pages) -> None:
    app.hubs.add(SUBSCRIPTION)
    for token in ("x", "%00", SUBSCRIPTION.token.reveal().upper(), SUBSCRIPTION.token.reveal()[:-1]):
        assert pages.get(f"/websub/{token}", params=QUESTION).status_code == 404
        assert pages.post(f"/websub/{token}", content=CONTENT, headers=signed(CONTENT)).status_code == 410


def test_a_denial_is_kept_with_its_reason(app: App, pages: Pages) -> None:
    active(app)
    denial = {"hub.mode": "denied", "hub.topic": SUBSCRIPTION.topic, "hub.reason": "members only"}
    assert [pages.get(WHERE, params=denial).status_code for _ in range(2)] == [200, 200]
    (one,) = app.hubs.listed()
    assert (one.state, one.because) == (HubState.REFUSED, "its hub refuses us: members only")
    assert push(pages).status_code == 410


def test_an_end_that_was_asked_for_is_confirmed_and_the_address_gone(app: App, pages: Pages) -> None:
    app.hubs.add(replace(SUBSCRIPTION, state=HubState.LEAVING))
    answer = pages.get(WHERE, params=QUESTION | {"hub.mode": "unsubscribe"})
    assert (answer.status_code, answer.text) == (200, "<b>a challenge</b>")
    assert app.hubs.listed() == ()
    assert push(pages).status_code == 410


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_what_is_signed_is_kept_as_it_came(app: App, pages: Pages, method: str) -> None:
    active(app)
    assert push(pages, headers=signed(CONTENT, method=method)).status_code == 202
    kept = app.hubs.waiting()
    assert kept is not None
    assert (kept.content, kept.content_type) == (CONTENT, "application/rss+xml")


@pytest.mark.parametrize(
    "headers", [{}, signed(CONTENT, secret="another"), signed(CONTENT + b" "), {"x-hub-signature": "sha256="}]
)
def test_what_is_not_signed_is_answered_alike_and_ignored(app: App, pages: Pages, headers: dict[str, str]) -> None:
    active(app)
    assert push(pages, headers=headers).status_code == 202
    assert app.hubs.waiting() is None


def test_nothing_is_taken_before_it_was_confirmed_that_it_is_wanted(app: App, pages: Pages) -> None:
    app.hubs.add(SUBSCRIPTION)
    assert push(pages).status_code == 410
    assert app.hubs.waiting() is None


def test_a_hub_that_is_asked_to_go_on_may_push_meanwhile(app: App, pages: Pages) -> None:
    app.hubs.exchange(one := active(app), replace(one, state=HubState.ASKED))
    assert push(pages).status_code == 202
    assert app.hubs.waiting() is not None


def test_a_push_may_be_as_large_as_a_feed_and_no_larger(app: App, pages: Pages) -> None:
    active(app)
    most = app.settings.collect.max_body_bytes

    async def pieces(size: int) -> Any:
        for _ in range(size // 1_000_000 + 1):
            yield b"x" * 1_000_000

    assert push(pages, b"x" * 1_000_000).status_code == 202
    assert push(pages, b"x" * (most + 1)).status_code == 413
    assert pages.post(WHERE, content=pieces(most), headers=signed(b"")).status_code == 413


def test_a_hub_that_pushes_more_than_is_read_is_told_to_come_again(app: App, pages: Pages) -> None:
    active(app)
    answers = [push(pages).status_code for _ in range(MOST_WAITING + 1)]
    assert answers == [202] * MOST_WAITING + [503]


def test_a_piece_that_was_pushed_is_accepted(app: App, pages: Pages) -> None:
    active(app)
    push(pages)
    assert asyncio.run(app.take_pushed(asyncio.Event())) == 1
    assert "The harbour freezes over" in {item.entry.headline for item in app.items.listed()}
    assert asyncio.run(app.take_pushed(asyncio.Event())) == 0


def test_no_log_line_tells_a_token_or_a_secret(app: App, pages: Pages) -> None:
    with structlog.testing.capture_logs() as lines:
        app.hubs.add(SUBSCRIPTION)
        pages.get(WHERE, params=QUESTION)
        push(pages, headers={})
        push(pages, b"<html>no feed</html>")
        asyncio.run(app.take_pushed(asyncio.Event()))
    told = str(lines)
    assert len(lines) >= 3
    assert SUBSCRIPTION.token.reveal() not in told
    assert SUBSCRIPTION.secret.reveal() not in told
