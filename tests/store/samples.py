"""A list with people on it, items to write about, and editions of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, insert, select, update

from newsletter.model.delivery import Claimed, DeliveryState, Reply, Tried
from newsletter.model.edition import Draft, EditionState, Part, Piece, Rendered, Role, Source
from newsletter.model.feed import FeedState
from newsletter.model.item import Direction, Image, ItemState
from newsletter.model.publication import Digest, Mailbox, MailingList, Publication, Section
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.ledger import Ledger
from newsletter.store.tables import (
    FeedRow,
    ItemRow,
    StoryRow,
    SubscriberRow,
    SubscriptionRow,
    SuppressionRow,
)

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
LEASE = timedelta(minutes=5)
LATER = NOW + timedelta(hours=1)

_PUBLICATION = Publication(
    name="The Example Brief",
    base_url="http://127.0.0.1:8080",
    sender=Mailbox(name="The Example Brief", address="brief@news.example.org"),
    reply_to=None,
    bounce_address="bounces@bounce.example.org",
    language="en",
    timezone="Europe/London",
    postal_address="1 Example Street, London",
    links=(("Mastodon", "https://social.example/@brief"),),
)


def hashes_of(address: str) -> tuple[str, ...]:
    return (hashlib.blake2b(address.lower().encode(), key=b"a key for tests", digest_size=32).hexdigest(),)


def open_ledger(store: Store) -> Ledger:
    return Ledger(store, hashes_of=hashes_of)


def add_people(store: Store, many: int, *, list_id: str = "brief", first: int = 0) -> tuple[int, ...]:
    """Subscription ids of new people who are active on a list: reader-FIRST@LIST.example and so on."""
    with store.write() as connection:
        people = connection.scalars(
            insert(SubscriberRow).returning(SubscriberRow.id, sort_by_parameter_order=True),
            [
                {
                    "address": f"reader-{number}@{list_id}.example",
                    "address_key": f"reader-{number}@{list_id}.example",
                    "name": f"Reader {number}",
                    "fields": f'[["number", "{number}"]]',
                    "created_at": NOW,
                }
                for number in range(first, first + many)
            ],
        ).all()
        return tuple(
            connection.scalars(
                insert(SubscriptionRow).returning(SubscriptionRow.id, sort_by_parameter_order=True),
                [
                    {
                        "subscriber_id": person,
                        "list_id": list_id,
                        "state": SubscriptionState.ACTIVE,
                        "since_at": NOW,
                    }
                    for person in people
                ],
            )
        )


def move_house(store: Store, people: int, *, to: str, list_id: str = "brief") -> None:
    """Give the first so many of a list's people addresses at another domain: reader-n@TO."""
    first = [f"reader-{number}@{list_id}.example" for number in range(people)]
    there = func.replace(SubscriberRow.address, f"{list_id}.example", to)
    with store.write() as connection:
        connection.execute(update(SubscriberRow).where(SubscriberRow.address.in_(first)).values(address=there))


def set_subscription(store: Store, subscription_id: int, state: SubscriptionState) -> None:
    with store.write() as connection:
        connection.execute(update(SubscriptionRow).where(SubscriptionRow.id == subscription_id).values(state=state))


def join(store: Store, subscriptions: Sequence[int], list_id: str) -> None:
    """Put the people of these subscriptions on another list too."""
    with store.write() as connection:
        people = connection.scalars(select(SubscriptionRow.subscriber_id).where(SubscriptionRow.id.in_(subscriptions)))
        rows = [
            {"subscriber_id": person, "list_id": list_id, "state": SubscriptionState.ACTIVE, "since_at": NOW}
            for person in people.all()
        ]
        connection.execute(insert(SubscriptionRow), rows)


def prefer(store: Store, subscription: int, *, topics: str | None = None, **of_person: object) -> None:
    with store.write() as connection:
        connection.execute(update(SubscriptionRow).where(SubscriptionRow.id == subscription).values(topics=topics))
        person = select(SubscriptionRow.subscriber_id).where(SubscriptionRow.id == subscription).scalar_subquery()
        if of_person:
            connection.execute(update(SubscriberRow).where(SubscriberRow.id == person).values(**of_person))


def suppress(store: Store, address: str, *, reason: str) -> None:
    with store.write() as connection:
        connection.execute(insert(SuppressionRow).values(address_hash=hashes_of(address)[0], reason=reason, at=NOW))


def add_items(store: Store, many: int) -> tuple[tuple[int, int], ...]:
    """(item id, story id) of new accepted items."""
    with store.write() as connection:
        if not connection.scalar(select(FeedRow.id).where(FeedRow.id == "observatory")):
            feed = {"id": "observatory", "url": "http://feed.example/", "state": FeedState.ACTIVE, "failures": 0}
            connection.execute(insert(FeedRow).values(**feed))
        return tuple(_add_item(connection) for _ in range(many))


def _add_item(connection: Connection) -> tuple[int, int]:
    story = connection.scalars(insert(StoryRow).returning(StoryRow.id), {"created_at": NOW}).one()
    texts = dict.fromkeys(
        ("url", "headline", "dek", "byline", "section_line", "html", "text", "content_hash", "source_digest"), ""
    )
    times = dict.fromkeys(("dated_at", "first_seen_at", "last_seen_at"), NOW)
    values = {
        "feed_id": "observatory",
        "story_id": story,
        "state": ItemState.ACCEPTED,
        "categories": "[]",
        "direction": Direction.LTR,
    }
    return connection.scalars(insert(ItemRow).returning(ItemRow.id), {**values, **texts, **times}).one(), story


def draft_of(
    items: Sequence[tuple[int, int]], *, edition_id: str = "daily-2026-11-23", number: int = 1, list_id: str = "brief"
) -> Draft:
    """An edition of these (item id, story id), with something in every field."""
    pieces = tuple(_piece(item, story) for item, story in items)
    return Draft(
        id=edition_id,
        number=number,
        digest=Digest(
            id="daily",
            list_id=list_id,
            schedule="0 7 * * mon-fri",
            subject="{{ lead.headline }}",
            timezone="Europe/London",
            catch_up=timedelta(hours=6, seconds=1.5),
            sections=(Section(title="World", feeds=("observatory",), max_items=3), Section(title="")),
        ),
        mailing_list=MailingList(id=list_id, title="The Brief"),
        publication=_PUBLICATION,
        dated_at=NOW,
        parts=(Part(title="World", pieces=pieces),),
    )


def _piece(item_id: int, story_id: int) -> Piece:
    return Piece(
        item_id=item_id,
        story_id=story_id,
        feed_id="observatory",
        role=Role.LEAD,
        headline="مرصد الأنهار — «a river» rises",
        url="https://observatory.example/rivers",
        partner="River Observatory",
        html="<p>Water &amp; words.</p>",
        paragraphs=("## A subhead", "Water & words."),
        image=Image(url="https://observatory.example/river.jpg", caption="A river", credit="N. N.", width=600),
        direction=Direction.RTL,
        published_at=NOW - timedelta(minutes=1, microseconds=7),
        also_at=(Source(partner="A magazine", url="https://magazine.example/1"),),
    )


def rendered_of(draft: Draft) -> Rendered:
    return Rendered(
        subject=f"Number {draft.number}",
        html="<p>nlABCunsubscribe</p>",
        text="nlABCunsubscribe\n",
        preheader="",
        nonce="nlABC",
        fields=("unsubscribe",),
        html_bytes=23,
        template_hash="0" * 64,
        warnings=("a teaser was shortened",),
    )


def freeze(
    store: Store,
    draft: Draft,
    *,
    state: EditionState = EditionState.APPROVED,
    now: datetime = NOW,
    first: int = 10_000,
) -> int:
    """Freeze an edition with the first so many of its recipients."""
    return Editions(store, first=first).freeze(
        draft, rendered_of(draft), slot=f"slot of {draft.id}"[:32], state=state, now=now
    )


def frozen(store: Store, people: int, *, number: int = 1, list_id: str = "brief", first: int = 10_000) -> str:
    """The id of an approved edition of one new story for this many new people, the first of whom are written down."""
    add_people(store, people, list_id=list_id)
    draft = draft_of(add_items(store, 1), edition_id=f"{list_id}-{number}", number=number, list_id=list_id)
    freeze(store, draft, first=first)
    return draft.id


def outcome(
    claimed: Claimed,
    state: DeliveryState = DeliveryState.SENT,
    *,
    text: str = "2.0.0 queued",
    because: str = "",
    due_at: datetime | None = None,
    counts: bool = True,
) -> Tried:
    code = {DeliveryState.SENT: 250, DeliveryState.DEFERRED: 451}.get(state, 550)
    return Tried(
        ledger=claimed.ledger,
        id=claimed.id,
        fence=claimed.fence,
        state=state,
        reply=Reply(code=code, enhanced="", text=text) if counts else None,
        because=because,
        relay="main",
        due_at=due_at,
        counts=counts,
    )


def claim_all(ledger: Ledger, *, owner: str = "one", limit: int = 1000, now: datetime = NOW) -> tuple[Claimed, ...]:
    return ledger.claim(owner=owner, limit=limit, now=now, lease=LEASE)


def begin(ledger: Ledger, claimed: Iterable[Claimed], *, now: datetime = NOW) -> list[bool]:
    return [each.result(30) for each in [ledger.begin(one, now=now) for one in claimed]]


def record(ledger: Ledger, tried: Iterable[Tried], *, now: datetime = NOW) -> list[bool]:
    return [each.result(30) for each in [ledger.record(one, now=now) for one in tried]]


def deliver(
    ledger: Ledger, claimed: Iterable[Claimed], state: DeliveryState = DeliveryState.SENT, *, because: str = ""
) -> list[bool]:
    """Begin each and record the same outcome for all that could be begun."""
    claimed = tuple(claimed)
    begun = [one for one, ours in zip(claimed, begin(ledger, claimed), strict=True) if ours]
    return record(ledger, [outcome(one, state, because=because, due_at=LATER) for one in begun])
