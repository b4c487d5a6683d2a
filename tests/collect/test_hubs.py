"""What is agreed with hubs: who is asked for what, what they may confirm, and what counts as pushed by them."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.collect.hubs import announcing, confirmed, form, is_signed, pushing, steps
from newsletter.collect.links import announced
from newsletter.model.feed import Announced, FeedHealth, FeedState, Habits
from newsletter.model.hub import HubState, HubSubscription
from newsletter.model.settings import Secret
from tests.collect.makers import NOW, a_feed, read_bytes, rss

HUB = "https://hub.example/"
TOPIC = "https://courier.example/feed/"
SECRET = Secret("a secret of this subscription")
DAY = timedelta(days=1)
ATOM = '<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="{}" href="{}"/>'
WANTED = {"courier": Announced(hub=HUB, topic=TOPIC)}
ASKED = HubSubscription(
    token=Secret("token"), feed_id="courier", hub=HUB, topic=TOPIC, secret=SECRET, state=HubState.ASKED, next_at=NOW
)
ACTIVE = replace(ASKED, state=HubState.ACTIVE, leased_until=NOW + 10 * DAY, next_at=NOW + 9 * DAY)
LEAVING = replace(ASKED, state=HubState.LEAVING)
REFUSED = replace(ASKED, state=HubState.REFUSED, next_at=NOW + 7 * DAY)


def made() -> Iterator[tuple[Secret, Secret]]:
    number = 0
    while True:
        number += 1
        yield Secret(f"token {number}"), Secret(f"secret {number}")


def taken(*known: HubSubscription, wanted: dict[str, Announced] = WANTED) -> list[HubSubscription | None]:
    return [step.after for step in steps(wanted, known, now=NOW, made=made(), jitter=0)]


def test_a_document_names_its_hub_and_itself() -> None:
    parsed = read_bytes(rss(channel=ATOM.format("self", TOPIC) + ATOM.format("hub", HUB)))
    assert parsed.hub == Announced(hub=HUB, topic=TOPIC)


def test_an_atom_feed_and_a_json_feed_name_them_too() -> None:
    atom = f'<feed xmlns="http://www.w3.org/2005/Atom"><link rel="hub" href="{HUB}"/><link rel="self" href="/feed/"/><entry><link rel="hub" href="https://wrong.example/"/></entry></feed>'
    json = f'{{"version": "https://jsonfeed.org/version/1.1", "title": "x", "feed_url": "{TOPIC}", "hubs": [7, {{"type": "WebSub", "url": "{HUB}"}}], "items": []}}'
    for body in (atom, json):
        parsed = read_bytes(body.encode())
        assert parsed.hub == Announced(hub=HUB, topic=TOPIC)


@pytest.mark.parametrize(
    "header",
    [
        f'<{HUB}>; rel="hub", <{TOPIC}>; rel="self"',
        f'<{TOPIC}>;rel=self;type="a,b" , <{HUB}>; title="x; rel=\\"no\\""; REL="preconnect HUB"',
        f"</feed/>; rel=self, <http://plain.example/>; rel=hub, <{HUB}>; rel=hub",
    ],
)  # fmt: skip
def test_headers_say_it_before_the_document_does(header: str) -> None:
    other = (("hub", "https://other.example/"), ("self", "https://other.example/feed"))
    assert announced(header, other, url=TOPIC) == Announced(hub=HUB, topic=TOPIC)


@pytest.mark.parametrize(
    "header", ["", "<>", '<javascript:alert(1)>; rel="hub"', f'<{TOPIC}>; rel="self"', "<" * 50_000]
)
def test_what_names_no_hub_has_none(header: str) -> None:
    assert announced(header, (), url=TOPIC) is None


def test_a_feed_over_https_has_no_hub_that_others_could_listen_to() -> None:
    plain = (("hub", "http://hub.example/"),)
    assert announced("", plain, url=TOPIC) is None
    assert announced("", plain, url="http://courier.example/") == Announced(
        hub="http://hub.example/", topic="http://courier.example/"
    )


def test_a_hub_or_a_name_that_no_store_could_keep_is_none() -> None:
    long = "x" * 1_000
    assert announced("", (("hub", HUB + long),), url=TOPIC) is None
    assert announced("", (("hub", HUB), ("self", TOPIC + long)), url=TOPIC) is None


def test_a_feed_without_a_name_for_itself_goes_by_where_it_was_found() -> None:
    assert announced("", (("hub", HUB),), url=TOPIC) == Announced(hub=HUB, topic=TOPIC)


def test_a_new_hub_is_asked_with_an_address_and_a_secret_of_its_own() -> None:
    found = steps(WANTED | {"harbour": Announced(hub=HUB, topic=TOPIC)}, (), now=NOW, made=made(), jitter=0)
    assert [step.before for step in found] == [None, None]
    one, other = (step.after for step in found)
    assert one is not None
    assert other is not None
    assert one.state is HubState.ASKED
    assert one.token != other.token
    assert one.secret != other.secret
    assert form(one, callback="https://brief.example/websub/t") == {
        "hub.callback": "https://brief.example/websub/t",
        "hub.topic": TOPIC,
        "hub.mode": "subscribe",
        "hub.lease_seconds": "864000",
        "hub.secret": one.secret.reveal(),
    }


def test_a_hub_that_does_not_confirm_is_asked_later_and_later() -> None:
    one, waits = replace(ASKED, next_at=NOW), []
    for _ in range(11):
        (after,) = (step.after for step in steps(WANTED, (one,), now=one.next_at, made=made(), jitter=0))
        assert after is not None
        waits.append(after.next_at - one.next_at)
        one = after
    assert waits[:3] == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]
    assert waits[-1] == DAY


def test_nobody_is_asked_while_all_is_well() -> None:
    assert taken(ACTIVE) == []
    assert taken(REFUSED) == []
    assert taken(replace(ASKED, next_at=NOW + DAY)) == []


def test_a_lease_is_renewed_before_its_end_at_different_times() -> None:
    query = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "c", "hub.lease_seconds": "864000"}
    renewals = []
    for jitter in (0.0, 0.99):
        found = confirmed(ASKED, query, now=NOW, jitter=jitter)
        assert found is not None
        assert found.after is not None
        assert found.after.leased_until == NOW + 10 * DAY
        renewals.append(found.after.next_at)
        (again,) = (
            step.after for step in steps(WANTED, (found.after,), now=found.after.next_at, made=made(), jitter=0)
        )
        assert again is not None
        assert again.state is HubState.ASKED
        assert again.is_live(found.after.next_at), "the old promise holds while the hub is asked to go on"
        assert (again.token, again.secret) == (ASKED.token, ASKED.secret)
    assert NOW + 8 * DAY <= renewals[1] < renewals[0] <= NOW + 9 * DAY


@pytest.mark.parametrize(("said", "lease"), [("", DAY), ("0", DAY), ("-5", DAY), ("1", timedelta(minutes=10)), ("99999999999999", 90 * DAY)])  # fmt: skip
def test_a_lease_is_taken_within_reason(said: str, lease: timedelta) -> None:
    query = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "c", "hub.lease_seconds": said}
    found = confirmed(ASKED, query, now=NOW, jitter=0)
    assert found is not None
    assert found.after is not None
    assert found.after.leased_until == NOW + lease


def test_a_feed_that_is_gone_or_has_another_hub_leaves_the_old_one() -> None:
    (left,) = taken(ACTIVE, wanted={})
    assert left is not None
    assert (left.state, left.is_live(NOW)) == (HubState.LEAVING, False)
    assert form(left, callback="c") == {"hub.callback": "c", "hub.topic": TOPIC, "hub.mode": "unsubscribe"}
    moved = taken(ACTIVE, wanted={"courier": Announced(hub="https://new.example/", topic=TOPIC)})
    assert [(one.hub, one.state) for one in moved if one] == [
        (HUB, HubState.LEAVING),
        ("https://new.example/", HubState.ASKED),
    ]


def test_what_was_refused_is_forgotten_when_nobody_wants_it_and_asked_for_again_after_a_week() -> None:
    assert taken(REFUSED, wanted={}) == [None]
    (again,) = taken(replace(REFUSED, next_at=NOW))
    assert again is not None
    assert again.state is HubState.ASKED


def test_a_hub_that_never_confirms_the_end_is_forgotten() -> None:
    one: HubSubscription | None = replace(LEAVING, next_at=NOW)
    for _ in range(20):
        if one is None:
            break
        (one,) = (step.after for step in steps({}, (one,), now=one.next_at, made=made(), jitter=0))
    assert one is None


@pytest.mark.parametrize(
    ("one", "query"),
    [
        (ASKED, {"hub.mode": "unsubscribe", "hub.topic": TOPIC, "hub.challenge": "c"}),
        (ACTIVE, {"hub.mode": "unsubscribe", "hub.topic": TOPIC, "hub.challenge": "c"}),
        (LEAVING, {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "c"}),
        (REFUSED, {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "c"}),
        (ASKED, {"hub.mode": "subscribe", "hub.topic": f"{TOPIC}other", "hub.challenge": "c"}),
        (ASKED, {"hub.mode": "denied", "hub.topic": f"{TOPIC}other"}),
        (ASKED, {"hub.mode": "subscribe", "hub.topic": TOPIC}),
        (ASKED, {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "c" * 5000}),
        (ASKED, {}),
    ],
)
def test_what_was_not_asked_for_is_not_confirmed(one: HubSubscription, query: dict[str, str]) -> None:
    assert confirmed(one, query, now=NOW, jitter=0) is None


def test_an_end_that_was_asked_for_is_confirmed() -> None:
    query = {"hub.mode": "unsubscribe", "hub.topic": TOPIC, "hub.challenge": "c"}
    found = confirmed(LEAVING, query, now=NOW, jitter=0)
    assert found is not None
    assert (found.after, found.challenge) == (None, "c")


@pytest.mark.parametrize("one", [ASKED, ACTIVE])
def test_a_denial_counts_at_any_time_and_says_why(one: HubSubscription) -> None:
    query = {"hub.mode": "denied", "hub.topic": TOPIC, "hub.reason": "no\nsuch topic"}
    found = confirmed(one, query, now=NOW, jitter=0)
    assert found is not None
    assert found.after is not None
    assert (found.after.state, found.after.is_live(NOW)) == (HubState.REFUSED, False)
    assert found.after.because == "its hub refuses us: no such topic"
    assert confirmed(found.after, query, now=NOW, jitter=0) == replace(found, after=found.after)
    assert confirmed(LEAVING, query, now=NOW, jitter=0) == replace(found, after=None)


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_every_method_of_the_recommendation_signs(method: str) -> None:
    signature = hmac.new(SECRET.reveal().encode(), b"body", method).hexdigest()
    assert is_signed(b"body", f"{method}={signature}", SECRET)
    assert is_signed(b"body", f" {method.upper()}={signature.upper()} ", SECRET)
    assert not is_signed(b"body!", f"{method}={signature}", SECRET)
    assert not is_signed(b"body", f"{method}={signature}", Secret("another"))


@pytest.mark.parametrize("signature", ["", "sha256", "sha256=", "=", "sha256=zz", "sha256=\u00fc\ud800", f"md5={hashlib.md5(b'body').hexdigest()}", "shake_128=ab", "sha256=" + "a" * 100_000])  # fmt: skip
def test_what_is_no_signature_signs_nothing(signature: str) -> None:
    assert not is_signed(b"body", signature, SECRET)


HEALTH = FeedHealth(feed_id="courier", url=TOPIC, state=FeedState.ACTIVE, habits=Habits(hub=WANTED["courier"]))


def test_only_feeds_that_are_asked_want_their_hubs() -> None:
    feed = a_feed("courier", url=TOPIC)
    assert announcing([feed], [HEALTH]) == WANTED
    assert announcing([], [HEALTH]) == {}
    assert announcing([replace(feed, enabled=False)], [HEALTH]) == {}
    assert announcing([replace(feed, url="https://new.example/")], [HEALTH]) == {}
    assert announcing([feed], [replace(HEALTH, state=FeedState.GONE)]) == {}
    assert announcing([feed], [replace(HEALTH, habits=Habits())]) == {}


def test_a_hub_counts_as_pushing_while_its_promise_holds() -> None:
    pushed = replace(ACTIVE, pushed_at=NOW)
    assert pushing([pushed], now=NOW) == {"courier": NOW}
    assert pushing([replace(pushed, state=HubState.ASKED)], now=NOW) == {"courier": NOW}, "asked to go on"
    assert pushing([ACTIVE], now=NOW) == {}, "it has promised, and pushed nothing"
    assert pushing([replace(pushed, leased_until=NOW)], now=NOW) == {}, "its lease is over"
    assert pushing([replace(pushed, state=HubState.REFUSED)], now=NOW) == {}
    assert pushing([replace(pushed, state=HubState.LEAVING)], now=NOW) == {}


def test_secrets_are_not_shown() -> None:
    assert "secret of this" not in repr(ASKED)
    assert "token='" not in repr(ASKED)
