"""What is agreed with feeds' hubs (W3C WebSub): whom to ask for what, what a hub may confirm, what it may push."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from newsletter.model.feed import Announced, Feed, FeedHealth, FeedState
from newsletter.model.hub import HubState, HubSubscription
from newsletter.model.settings import Secret
from newsletter.model.text import one_line

LEASE = timedelta(days=10)
"""What hubs are asked for; they promise what they like."""
# A hub that says "for a second" would have us ask every second, one that says "for ever" never again.
_SHORTEST_LEASE, _LONGEST_LEASE = timedelta(minutes=10), timedelta(days=90)
_UNSAID_LEASE = timedelta(days=1)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=5), timedelta(days=1)
_MOST_DOUBLINGS = 9
_REFUSED_FOR = timedelta(days=7)
# Asked so often to stop, it stops mattering: what it pushes is answered with 410, and its lease ends.
_MOST_GOODBYES = 4
_DIGESTS = frozenset({"sha1", "sha256", "sha384", "sha512"})
_LONGEST_CHALLENGE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of what is agreed. Without `before` it is new; without `after` it is forgotten, and nobody asked."""

    before: HubSubscription | None
    after: HubSubscription | None


def steps(
    announcing: Mapping[str, Announced],
    known: Sequence[HubSubscription],
    *,
    now: datetime,
    made: Iterable[tuple[Secret, Secret]],
    jitter: float,
) -> tuple[Step, ...]:
    """Whom to ask for what now. `announcing` are the hubs of the feeds that want them, `made` fresh (token, secret)."""
    secrets = iter(made)
    wanted = {(feed_id, one.hub, one.topic) for feed_id, one in announcing.items()}
    found = [_next(one, wanted=(one.feed_id, one.hub, one.topic) in wanted, now=now, jitter=jitter) for one in known]
    missing = sorted(wanted - {(one.feed_id, one.hub, one.topic) for one in known})
    return (
        *(step for step in found if step),
        *(Step(before=None, after=_new(*names, *next(secrets), now=now, jitter=jitter)) for names in missing),
    )


def _new(
    feed_id: str, hub: str, topic: str, token: Secret, secret: Secret, *, now: datetime, jitter: float
) -> HubSubscription:
    new = HubSubscription(
        token=token, feed_id=feed_id, hub=hub, topic=topic, secret=secret, state=HubState.ASKED, next_at=now
    )
    return _asked(new, now=now, jitter=jitter)


def _next(one: HubSubscription, *, wanted: bool, now: datetime, jitter: float) -> Step | None:
    if not wanted and one.state is HubState.REFUSED:
        return Step(before=one, after=None)
    if not wanted and one.state is not HubState.LEAVING:
        leaving = replace(one, state=HubState.LEAVING, tries=0, leased_until=None)
        return Step(before=one, after=_asked(leaving, now=now, jitter=jitter))
    if now < one.next_at:
        return None
    if one.state is HubState.LEAVING:
        gone = one.tries >= _MOST_GOODBYES
        return Step(before=one, after=None if gone else _asked(one, now=now, jitter=jitter))
    return Step(before=one, after=_asked(replace(one, state=HubState.ASKED), now=now, jitter=jitter))


def _asked(one: HubSubscription, *, now: datetime, jitter: float) -> HubSubscription:
    """As it is once the hub was asked: asked again, later and later, until it confirms."""
    wait = min(_FIRST_WAIT * 2 ** min(one.tries, _MOST_DOUBLINGS), _LONGEST_WAIT)
    return replace(one, tries=one.tries + 1, next_at=now + wait * (1 + jitter / 10))


def form(one: HubSubscription, *, callback: str) -> dict[str, str]:
    """What a hub is asked (section 5.1)."""
    said = {"hub.callback": callback, "hub.topic": one.topic}
    if one.state is HubState.LEAVING:
        return said | {"hub.mode": "unsubscribe"}
    lease = str(int(LEASE.total_seconds()))
    return said | {"hub.mode": "subscribe", "hub.lease_seconds": lease, "hub.secret": one.secret.reveal()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What becomes of a subscription that its hub asks or tells about, and the challenge to answer with."""

    after: HubSubscription | None
    challenge: str = ""


def confirmed(one: HubSubscription, query: Mapping[str, str], *, now: datetime, jitter: float) -> Confirmation | None:
    """What a hub's verification of our intent, or its denial, comes to (sections 5.2, 5.3).

    None for what we do not want: another topic, or a mode that we did not ask for.
    """
    mode, challenge = query.get("hub.mode", ""), query.get("hub.challenge", "")
    if query.get("hub.topic") != one.topic or len(challenge) > _LONGEST_CHALLENGE:
        return None
    if mode == "denied":
        leaving = one.state is HubState.LEAVING
        return Confirmation(after=None if leaving else _denied(one, query.get("hub.reason", ""), now=now))
    if not challenge:
        return None
    if mode == "unsubscribe" and one.state is HubState.LEAVING:
        return Confirmation(after=None, challenge=challenge)
    # Also one that it has confirmed before: then our answer to that was lost.
    if mode == "subscribe" and one.state in {HubState.ASKED, HubState.ACTIVE}:
        lease = _lease(query.get("hub.lease_seconds", ""))
        return Confirmation(after=_promised(one, lease, now=now, jitter=jitter), challenge=challenge)
    return None


def _denied(one: HubSubscription, reason: str, *, now: datetime) -> HubSubscription:
    told = one_line(reason, limit=200)
    because = "its hub refuses us" + (f": {told}" if told else "")
    if one.state is HubState.REFUSED:
        return one
    return replace(one, state=HubState.REFUSED, tries=0, leased_until=None, next_at=now + _REFUSED_FOR, because=because)


def _promised(one: HubSubscription, lease: timedelta, *, now: datetime, jitter: float) -> HubSubscription:
    """Renewed in the last fifth of the lease, not all at once; before its end, since a hub may be away."""
    renewed_at = now + lease * (0.9 - 0.1 * jitter)
    return replace(one, state=HubState.ACTIVE, tries=0, leased_until=now + lease, next_at=renewed_at, because=None)


def _lease(seconds: str) -> timedelta:
    said = int(seconds[:10]) if seconds.isdecimal() and seconds.isascii() else 0
    wanted = timedelta(seconds=said) if said else _UNSAID_LEASE
    return min(max(wanted, _SHORTEST_LEASE), _LONGEST_LEASE)


def is_signed(content: bytes, signature: str, secret: Secret) -> bool:
    """Whether a hub signed these bytes with the secret (section 7.1): `sha256=…`.

    SHA-1 is taken too: many hubs know no other, and as a MAC it is not broken.
    """
    method, _, told = signature.strip().partition("=")
    if method.lower() not in _DIGESTS:
        return False
    made = hmac.new(secret.reveal().encode(), content, method.lower()).hexdigest()
    return hmac.compare_digest(made.encode(), told.strip().lower().encode("utf-8", "replace"))


def announcing(feeds: Iterable[Feed], healths: Iterable[FeedHealth]) -> dict[str, Announced]:
    """The hubs of the feeds that are asked."""
    by_id = {feed.id: feed for feed in feeds if feed.enabled}
    return {
        health.feed_id: health.habits.hub
        for health in healths
        if (feed := by_id.get(health.feed_id))
        and feed.url == health.url
        and health.habits.hub
        and health.state is not FeedState.GONE
    }


def pushing(subscriptions: Iterable[HubSubscription], *, now: datetime) -> dict[str, datetime]:
    """Feeds whose hub has promised to tell what is new, and does: when it last did."""
    return {one.feed_id: one.pushed_at for one in subscriptions if one.pushed_at and one.is_live(now)}
