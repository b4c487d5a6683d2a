"""People and their subscriptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from newsletter.model.delivery import DeliveryState
from newsletter.model.message import LetterKind
from newsletter.model.segment import Segment
from newsletter.model.subscriber import (
    AddressMove,
    Consent,
    Newcomer,
    Preferences,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionKind,
)
from newsletter.model.trouble import Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of newcomers, counted."""

    added: int = 0
    """Subscriptions made active or pending."""
    pending: int = 0
    """Of those, how many wait for the person to confirm."""
    known: int = 0
    """Were on the list already, active or pending."""
    left: int = 0
    """Had left: not brought back."""
    suppressed: int = 0
    """Must never be mailed again: not added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Everything known about one person."""

    subscriber: Subscriber
    subscriptions: tuple[Subscription, ...]
    consents: tuple[Consent, ...]
    deliveries: tuple[tuple[str, DeliveryState, str], ...]
    """(edition id, state, reason), latest first."""
    letters: tuple[tuple[LetterKind, DeliveryState, datetime], ...]
    """(kind, state, when it was queued), latest first."""
    suppression: Suppression | None = None
    trouble: Trouble | None = None
    """With the mailbox, as it was at the last failure."""
    wanted_address: str | None = None
    """The one they asked to have instead, while it is not confirmed."""


class Subscribers(Protocol):
    """People, their subscriptions and consent."""

    def add(
        self,
        newcomers: Sequence[Newcomer],
        *,
        confirmed: bool,
        source: str,
        text: str,
        now: datetime,
        by_person: bool = False,
        token: str = "",
    ) -> Added:
        """Add people to lists, in one transaction.

        With `confirmed` they are active at once, who was pending too; else pending, with a confirmation letter queued
        (at most one per subscription and hour). Suppressed addresses are never added. Who has left is not brought back,
        unless `by_person`: then they are pending again. Only who joins `by_person` is welcomed, or asked a second time
        to confirm; `token` names the link they used. An import fills in what is empty about a person; a sign-up changes
        nothing about them.

        One call is one transaction, and SQLite has one writer: give a large file some thousand people at a time.
        """

    def person(self, address: str) -> Person:
        """Everything known about one person, or NotFoundError."""

    def by_address(self, address: str) -> Subscriber | None:
        """The subscriber with this address, compared without case."""

    def exported(
        self, list_id: str | None = None, *, segment: Segment | None = None, now: datetime | None = None
    ) -> Iterator[tuple[Subscriber, tuple[Subscription, ...]]]:
        """Everybody (on the list), by id, read in pages; with a segment, as of now, those in it alone."""

    def in_segment(self, list_id: str | None, segment: Segment | None, *, now: datetime) -> Mapping[str, int]:
        """How many active readers (of the list) are in a segment, by list; all of them without a segment."""

    def count(self, list_id: str, state: SubscriptionState = SubscriptionState.ACTIVE) -> int:
        """How many subscriptions of the list are in this state."""

    def subscription(self, subscription_id: int) -> Subscription:
        """One subscription, or NotFoundError."""

    def subscriber(self, subscriber_id: int) -> Subscriber:
        """One subscriber, or NotFoundError."""

    def move(
        self,
        subscription_id: int,
        after: SubscriptionState,
        *,
        source: str,
        text: str,
        now: datetime,
        token: str = "",
    ) -> bool:
        """Confirm, leave …: move, log the consent, queue the welcome or goodbye letter, suppress open deliveries of
        who left. False (and nothing done) if it already is in that state; MoveError if it cannot get there.

        `text` is what the person was shown, `token` names the link they used.
        """

    def prefer(self, subscriber_id: int, preferences: Preferences) -> None:
        """Keep what a person wants, of lists only those they are on. NotFoundError if there is no such person.

        Editions frozen from now on keep to it.
        """

    def suppress(self, address: str, *, reason: str, now: datetime, kind: SuppressionKind = ...) -> None:
        """Never mail this address again: kept as a keyed hash; its subscriptions become suppressed.

        What is kept already stays, but for an erasure, which any other kind replaces.
        """

    def lift(self, address: str, *, reason: str, now: datetime) -> Suppression | None:
        """Let an address be mailed again; returns what had kept it from that, None if nothing had (but its domain).

        Subscriptions that a bounce had stopped while active are active again; the others count as left, so that only
        the person brings themselves back.
        """

    def erase(self, address: str, *, source: str, now: datetime) -> bool:
        """Forget a person: address, name, fields, language. What waits for them is suppressed, what was counted stays.

        The address is kept as a keyed hash alone, so that no import brings it back. False if nothing was known of it
        but that hash; NotFoundError if not even that.
        """

    def forget_unconfirmed(self, lists: Sequence[str], *, before: datetime, now: datetime) -> int:
        """Forget people on these lists all of whose subscriptions wait for confirmation since before then.

        Returns how many, some hundred at most. Nothing is kept of them: they may sign up at any time. Who had left
        before they were asked has left again. A confirmation that comes meanwhile is NotFoundError, or they stay.
        Wishes for another address go after a week, whatever came of them.
        """

    def suppression(self, address: str) -> Suppression | None:
        """Why the address must not be mailed, itself or its domain; None if it may be."""

    def is_suppressed(self, address: str) -> bool:
        """Whether there is such a reason."""


class AddressChanges(Protocol):
    """People who want another address."""

    def ask(self, subscription_id: int, address: str, *, now: datetime) -> int:
        """Write to both addresses of who has this subscription; the id of their wish, which replaces any earlier."""

    def pending(self, change_id: int, *, now: datetime) -> int | None:
        """Whose wish it is, as long as it can be confirmed; else None."""

    def confirm(self, change_id: int, side: LetterKind, *, text: str, token: str, now: datetime) -> AddressMove:
        """Confirm a wish by the letter to one address; done once both have. Subscriptions and consents stay theirs."""
