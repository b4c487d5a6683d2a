"""The tables. Row classes stay in this room; `mapping` turns them into model values at its door.

Every constraint that a promise rests on is here, not in code: one item per strong key, one issue of a story per list,
one delivery per (edition, subscriber), one slot per (digest, local time).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Double, ForeignKey, Index, MetaData, String, Text, UniqueConstraint, false, text, true
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from newsletter.model.delivery import DeliveryState
from newsletter.model.edition import EditionState
from newsletter.model.feed import FeedState
from newsletter.model.hub import HubState
from newsletter.model.item import Direction, ItemState, KeyKind
from newsletter.model.message import LetterKind
from newsletter.model.subscriber import Departure, SubscriptionState, SuppressionKind
from newsletter.model.visit import Agent
from newsletter.store.types import Id, UtcDateTime, state_type


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can speak of them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), StrEnum: state_type()}  # noqa: RUF012 SQLAlchemy reads it as it is


class FeedRow(Base):
    """What we remember of one feed between polls."""

    __tablename__ = "feeds"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    state: Mapped[FeedState]
    etag: Mapped[str | None] = mapped_column(Text)
    last_modified: Mapped[str | None] = mapped_column(Text)
    body_hash: Mapped[str | None] = mapped_column(String(64))
    last_status: Mapped[int | None]
    last_try_at: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    next_poll_at: Mapped[datetime | None]
    not_before_at: Mapped[datetime | None]
    failures: Mapped[int]
    because: Mapped[str | None] = mapped_column(Text)
    leased_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(server_default=text("0"))
    habits: Mapped[str | None] = mapped_column(Text)
    """What was learned of the feed, as JSON: nothing asks the database about it."""


class HubSubscriptionRow(Base):
    """A feed at its hub, by the secret end of the address where the hub reaches us."""

    __tablename__ = "hub_subscriptions"
    __table_args__ = (UniqueConstraint("feed_id", "hub", "topic"),)

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    feed_id: Mapped[str] = mapped_column(String(100))
    hub: Mapped[str] = mapped_column(Text)
    topic: Mapped[str] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(String(64))
    state: Mapped[HubState]
    next_at: Mapped[datetime]
    tries: Mapped[int]
    leased_until: Mapped[datetime | None]
    pushed_at: Mapped[datetime | None]
    because: Mapped[str | None] = mapped_column(Text)


class PushRow(Base):
    """What a hub pushed and nobody has read yet."""

    __tablename__ = "pushes"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token: Mapped[str] = mapped_column(ForeignKey("hub_subscriptions.token", ondelete="CASCADE"), index=True)
    content: Mapped[bytes]
    content_type: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime]


class RobotsRow(Base):
    """What a site's robots.txt said when it was last asked for."""

    __tablename__ = "robots"

    origin: Mapped[str] = mapped_column(String(300), primary_key=True)
    asked_at: Mapped[datetime]
    content: Mapped[bytes]
    reachable: Mapped[bool]


class LinkRow(Base):
    """What an item's link answered when it was last looked at. `gone_at`: since when it says that the page is gone."""

    __tablename__ = "links"

    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    asked_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]
    retracted_from: Mapped[ItemState | None]


class StoryRow(Base):
    """The same piece from one or more feeds. Only an identity: everything known about it is in its items."""

    __tablename__ = "stories"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    created_at: Mapped[datetime]


class ItemRow(Base):
    """One thing read from a feed, in its latest form."""

    __tablename__ = "items"
    __table_args__ = (
        Index("ix_items_feed_id_source_digest", "feed_id", "source_digest"),
        # Has all that the search for candidates asks about, so that it reads no item but those it brings back.
        Index("ix_items_candidates", "state", "feed_id", "dated_at", "id", "story_id"),
        Index("ix_items_feed_id_dated_at", "feed_id", "dated_at"),
        Index("ix_items_dated_at", "dated_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    feed_id: Mapped[str] = mapped_column(ForeignKey("feeds.id"))
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id"), index=True)
    state: Mapped[ItemState]
    guid: Mapped[str | None] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    headline: Mapped[str] = mapped_column(Text)
    dek: Mapped[str] = mapped_column(Text)
    byline: Mapped[str] = mapped_column(Text)
    section_line: Mapped[str] = mapped_column(Text)
    categories: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    image: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(35))
    direction: Mapped[Direction]
    published_at: Mapped[datetime | None]
    updated_at: Mapped[datetime | None]
    dated_at: Mapped[datetime]
    content_hash: Mapped[str] = mapped_column(String(64))
    source_digest: Mapped[str] = mapped_column(String(64))
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]
    because: Mapped[str | None] = mapped_column(Text)
    retracted_from: Mapped[ItemState | None]


class RevisionRow(Base):
    """The form an item had before it changed. Each form is kept once, however often two of them take turns."""

    __tablename__ = "item_revisions"
    __table_args__ = (UniqueConstraint("item_id", "content_hash"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))
    changed_at: Mapped[datetime]
    because: Mapped[str] = mapped_column(Text)
    headline: Mapped[str] = mapped_column(Text)
    dek: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(String(64))


class WindowRow(Base):
    """The items of a feed's last document, in its order, and those that were gone from its middle: ids, as JSON."""

    __tablename__ = "windows"

    feed_id: Mapped[str] = mapped_column(ForeignKey("feeds.id"), primary_key=True)
    item_ids: Mapped[str] = mapped_column(Text)
    missing: Mapped[str] = mapped_column(Text)


class AliasRow(Base):
    """One name of an item. Never deleted. A strong one names a single item; a weak one may name many."""

    __tablename__ = "aliases"
    __table_args__ = (
        Index(
            "ux_aliases_strong",
            "kind",
            "scope",
            "value",
            unique=True,
            sqlite_where=text("strong"),
            postgresql_where=text("strong"),
        ),
    )

    kind: Mapped[KeyKind] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(String(100), primary_key=True)
    value: Mapped[str] = mapped_column(String(200), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True, index=True)
    strong: Mapped[bool]


class MergeRow(Base):
    """Why an item joined another item's story. A merge that was undone keeps its row."""

    __tablename__ = "merges"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), index=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id"), index=True)
    because: Mapped[str] = mapped_column(Text)
    merged_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class SlotRow(Base):
    """A moment a digest was due, keyed by local wall time: a repeated hour finds its row already there."""

    __tablename__ = "slots"

    digest_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    due_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    edition_id: Mapped[str | None] = mapped_column(String(150))
    because: Mapped[str | None] = mapped_column(Text)


class EditionRow(Base):
    """A frozen number of a digest. `draft` is what it was rendered from, as JSON."""

    __tablename__ = "editions"
    __table_args__ = (
        UniqueConstraint("list_id", "number"),
        UniqueConstraint("digest_id", "slot"),
        Index("ix_editions_frozen_at", "frozen_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(150), primary_key=True)
    digest_id: Mapped[str] = mapped_column(String(100))
    list_id: Mapped[str] = mapped_column(String(100))
    number: Mapped[int]
    state: Mapped[EditionState] = mapped_column(index=True)
    state_because: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    slot: Mapped[str] = mapped_column(String(32))
    dated_at: Mapped[datetime]
    frozen_at: Mapped[datetime]
    state_at: Mapped[datetime]
    template_hash: Mapped[str] = mapped_column(String(64))
    warnings: Mapped[str] = mapped_column(Text)
    draft: Mapped[str] = mapped_column(Text)


class DocumentRow(Base):
    """A rendered form of an edition, with placeholders; most editions have the one variant ""."""

    __tablename__ = "documents"

    edition_id: Mapped[str] = mapped_column(ForeignKey("editions.id"), primary_key=True)
    variant: Mapped[str] = mapped_column(String(40), primary_key=True)
    rendered: Mapped[str] = mapped_column(Text)


class VariantRow(Base):
    """A form of an edition that some of its readers get instead of the whole, and how many were to get it.

    `document` names the documents that it is made from. Left out and shortened are stories, as JSON arrays of ids.
    """

    __tablename__ = "edition_variants"

    edition_id: Mapped[str] = mapped_column(ForeignKey("editions.id"), primary_key=True)
    variant: Mapped[str] = mapped_column(String(40), primary_key=True)
    document: Mapped[str] = mapped_column(String(40))
    text_only: Mapped[bool]
    language: Mapped[str | None] = mapped_column(String(35))
    left_out: Mapped[str] = mapped_column(Text)
    shortened: Mapped[str] = mapped_column(Text)
    readers: Mapped[int]
    spared: Mapped[int]
    """Of these readers, how many had been sent what is left out or shortened."""
    nearest: Mapped[int]
    """Of these readers, how many would have had a form of their own if there were no bound."""


class EditionItemRow(Base):
    """An item's place in an edition."""

    __tablename__ = "edition_items"

    edition_id: Mapped[str] = mapped_column(ForeignKey("editions.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), index=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id"), index=True)


class IssueRow(Base):
    """A story was issued on a list, by this edition: the row that keeps it from being issued again.

    No edition: it was passed over.
    """

    __tablename__ = "issues"

    list_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id"), primary_key=True)
    edition_id: Mapped[str | None] = mapped_column(ForeignKey("editions.id"), index=True)


class SubscriberRow(Base):
    """A person. `address_key` is how addresses are compared; both are null once the person is erased."""

    __tablename__ = "subscribers"
    __table_args__ = (
        # Freezing asks whether anybody wants a mail of their own kind: of a million who do not, it reads none.
        Index(
            "ix_subscribers_text_only",
            "text_only",
            sqlite_where=text("text_only"),
            postgresql_where=text("text_only"),
        ),
        Index(
            "ix_subscribers_language",
            "language",
            sqlite_where=text("language IS NOT NULL"),
            postgresql_where=text("language IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    address: Mapped[str | None] = mapped_column(Text)
    address_key: Mapped[str | None] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(35))
    fields: Mapped[str] = mapped_column(Text)
    text_only: Mapped[bool] = mapped_column(server_default=false())
    tracking: Mapped[bool] = mapped_column(server_default=true())
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


class SubscriptionRow(Base):
    """A person on a list. Its id is in the tokens of links, so it is never used twice."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "list_id"),
        # Has all that freezing asks about, in the order in which it writes.
        Index("ix_subscriptions_recipients", "list_id", "state", "subscriber_id", "id"),
        # As those of subscribers.
        Index(
            "ix_subscriptions_weekly", "list_id", "weekly", sqlite_where=text("weekly"), postgresql_where=text("weekly")
        ),
        Index(
            "ix_subscriptions_topics",
            "list_id",
            sqlite_where=text("topics IS NOT NULL"),
            postgresql_where=text("topics IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id"))
    list_id: Mapped[str] = mapped_column(String(100))
    state: Mapped[SubscriptionState]
    since_at: Mapped[datetime]
    weekly: Mapped[bool] = mapped_column(server_default=false())
    topics: Mapped[str | None] = mapped_column(Text)
    """Null for all of them, else a JSON array in one order and spelling, so that equal choices are equal texts."""


class ConsentRow(Base):
    """One move of a subscription, for the record. Append-only."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id"), index=True)
    before: Mapped[SubscriptionState | None]
    after: Mapped[SubscriptionState]
    at: Mapped[datetime]
    source: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    """A remark of ours; before there were wordings, also the text that was shown."""
    wording: Mapped[str | None] = mapped_column(String(64))
    """The hash of a WordingRow."""
    token: Mapped[str | None] = mapped_column(String(40))


class WordingRow(Base):
    """A text that people were shown when they decided. Each version is kept once, by its SHA-256."""

    __tablename__ = "wordings"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class SuppressionRow(Base):
    """An address never mailed again, as a keyed hash, so that it outlives the person's erasure."""

    __tablename__ = "suppressions"

    address_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    kind: Mapped[SuppressionKind | None]
    evidence: Mapped[str | None] = mapped_column(Text)
    """What a server said, without addresses, and over which delivery. Erasing the person forgets it."""


class DepartureRow(Base):
    """How many people gave a reason for leaving a list, by month."""

    __tablename__ = "departures"

    list_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    reason: Mapped[Departure] = mapped_column(primary_key=True)
    many: Mapped[int]


class PartingWordsRow(Base):
    """What somebody said when they left. No column says who, or when but for the month."""

    __tablename__ = "parting_words"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    list_id: Mapped[str] = mapped_column(String(100))
    month: Mapped[str] = mapped_column(String(7))
    reason: Mapped[Departure]
    words: Mapped[str] = mapped_column(Text)


class TroubleRow(Base):
    """How much trouble a person's mailbox has been; no row for almost everybody."""

    __tablename__ = "troubles"

    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id"), primary_key=True)
    score: Mapped[float] = mapped_column(Double)
    since: Mapped[datetime]
    at: Mapped[datetime] = mapped_column(index=True)


class SuppressedDomainRow(Base):
    """A domain that is not written to, or with `*.` in front all below it."""

    __tablename__ = "suppressed_domains"

    pattern: Mapped[str] = mapped_column(String(255), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class LedgerColumns:
    """What a delivery and a letter share: a state, its lease and fence, and the last that was said about it."""

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    state: Mapped[DeliveryState]
    due_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    begun_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    attempts: Mapped[int]
    fence: Mapped[int]
    owner: Mapped[str | None] = mapped_column(String(100))
    leased_until: Mapped[datetime | None]
    waits_for: Mapped[str | None] = mapped_column(String(255))
    """The provider that it waits for a turn with, while that is held back; null where nothing is."""
    relay: Mapped[str | None] = mapped_column(String(100))
    code: Mapped[int | None]
    enhanced: Mapped[str | None] = mapped_column(String(20))
    reply: Mapped[str | None] = mapped_column(Text)
    because: Mapped[str | None] = mapped_column(Text)


class DeliveryRow(LedgerColumns, Base):
    """One edition on its way to one subscriber. The pair is unique: that is promise 1.

    No foreign keys: rows are selected out of the tables that they would point to, from which nothing is ever deleted,
    and to check a million of them again is most of the time that freezing takes on PostgreSQL.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        # The edition first: what is frozen then stands together, however many editions there were before it.
        UniqueConstraint("edition_id", "subscriber_id"),
        Index("ix_deliveries_edition_id_state_due_at", "edition_id", "state", "due_at"),
        Index(
            "ix_deliveries_owned",
            "owner",
            sqlite_where=text("owner IS NOT NULL"),
            postgresql_where=text("owner IS NOT NULL"),
        ),
        Index(
            "ix_deliveries_waiting",
            "waits_for",
            "edition_id",
            sqlite_where=text("waits_for IS NOT NULL"),
            postgresql_where=text("waits_for IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    edition_id: Mapped[str] = mapped_column(String(150))
    subscriber_id: Mapped[int] = mapped_column(Id)
    subscription_id: Mapped[int] = mapped_column(Id)
    variant: Mapped[str] = mapped_column(String(40))


class LetterRow(LedgerColumns, Base):
    """A single mail to one subscriber: confirmation, welcome, goodbye. `key` is what makes it happen once."""

    __tablename__ = "letters"
    __table_args__ = (
        Index("ix_letters_state_due_at", "state", "due_at"),
        Index(
            "ix_letters_waiting",
            "waits_for",
            sqlite_where=text("waits_for IS NOT NULL"),
            postgresql_where=text("waits_for IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    kind: Mapped[LetterKind]
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id"), index=True)
    key: Mapped[str] = mapped_column(String(150), unique=True)
    change_id: Mapped[int | None] = mapped_column(Id)
    """The AddressChangeRow that the letter is about."""


class AddressChangeRow(Base):
    """A wish for another address. Both addresses confirm it; once it is done or over, it says nothing of either."""

    __tablename__ = "address_changes"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id"), index=True)
    address: Mapped[str | None] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(index=True)
    old_confirmed_at: Mapped[datetime | None]
    new_confirmed_at: Mapped[datetime | None]


class LimitRow(Base):
    """A counted window, shared by all processes."""

    __tablename__ = "limits"

    key: Mapped[str] = mapped_column(String(150), primary_key=True)
    window: Mapped[int] = mapped_column(Id, primary_key=True)
    taken: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(index=True)


class AnnouncementRow(Base):
    """What our hub was told of a list last, and when to try again if it did not listen."""

    __tablename__ = "announcements"

    list_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    mark: Mapped[str]
    tries: Mapped[int]
    next_try_at: Mapped[datetime | None]


class VisitRow(Base):
    """How often something of an edition was asked for: `url` a link, or empty for the edition itself."""

    __tablename__ = "visits"

    edition_id: Mapped[str] = mapped_column(ForeignKey("editions.id"), primary_key=True)
    url: Mapped[str] = mapped_column(Text, primary_key=True)
    agent: Mapped[Agent] = mapped_column(primary_key=True)
    times: Mapped[int]


class TurnRow(Base):
    """When the next turn of a rate is free that all senders share."""

    __tablename__ = "turns"

    scope: Mapped[str] = mapped_column(String(300), primary_key=True)
    next_at: Mapped[datetime]


class SlowdownRow(Base):
    """A receiving provider that asked for patience, and what it gets since: see `model.pacing`."""

    __tablename__ = "slowdowns"

    provider: Mapped[str] = mapped_column(String(255), primary_key=True)
    rate: Mapped[float]
    full_rate: Mapped[float]
    slowed_at: Mapped[datetime]
    closed_until: Mapped[datetime]
    complaints: Mapped[int]
    because: Mapped[str] = mapped_column(Text)


class FactRow(Base):
    """A few facts about the store itself, by name (for example that it was restored and must not send)."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
