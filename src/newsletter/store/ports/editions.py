"""Editions, the moments they are due, and what was counted of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from newsletter.model.delivery import Report
from newsletter.model.edition import Draft, Edition, EditionState, Rendered
from newsletter.model.variant import Place, Readership, Variant, Variants
from newsletter.model.visit import Agent, Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A moment an edition was due. `key` is the local wall time, `2026-11-23T07:00`, so that no hour counts twice."""

    digest_id: str
    key: str
    due_at: datetime


class Slots(Protocol):
    """Moments at which editions are due, opened once whatever the clock does."""

    def open(self, slot: Slot) -> bool:
        """True if this call opened the slot, False if it was there (open or settled)."""

    def unsettled(self) -> tuple[Slot, ...]:
        """Opened slots without an outcome, oldest first."""

    def settle(self, slot: Slot, *, edition_id: str | None, because: str | None, now: datetime) -> None:
        """Keep what became of a slot: an edition, or why there is none."""

    def last(self, digest_id: str) -> Slot | None:
        """The latest slot of a digest that was ever opened."""


class Editions(Protocol):
    """Frozen editions."""

    def next_number(self, list_id: str) -> int:
        """One more than the highest number on the list, 1 for the first."""

    def free_id(self, wanted: str) -> str:
        """`wanted`, or `wanted-2`, `wanted-3` … where it is taken."""

    def anybody_weekly(self, list_id: str) -> bool:
        """Whether an active reader of the list wants one edition a week."""

    def last_frozen_at(self, digest_id: str) -> datetime | None:
        """When the latest edition of a digest that was not called off was frozen."""

    def readership(self, draft: Draft) -> Readership:
        """Who would get this edition if it were frozen now, in groups by what they prefer and have had."""

    def freeze(
        self,
        draft: Draft,
        rendered: Rendered,
        *,
        slot: str,
        state: EditionState,
        now: datetime,
        variants: Variants | None = None,
    ) -> int:
        """Write the edition, its pieces, its documents, its claim on the stories and one queued delivery for every
        active subscriber of the list; returns the number of deliveries.

        That is one transaction, but for the recipients of a large list: the first of them are in it, who the others
        are is settled by it, and `freeze_more` writes them down.

        With `variants` each is queued in the form for their group, and those for whom it is empty are suppressed at
        once; without, everybody gets the whole edition.

        EditionError if its id, its number, its slot or one of its stories was taken meanwhile: compose again.
        """

    def freeze_more(self, *, most: int) -> bool:
        """Write down so many more recipients, of the edition that has waited longest for it; False if all have theirs.

        Anybody may, and several at once: each continues where the last one came to. An edition is not finished before
        that is done; its report counts who is still to come as queued. Of one that is called off nobody is to come: so
        many more of its recipients are suppressed.
        """

    def get(self, edition_id: str) -> Edition:
        """The edition, or NotFoundError."""

    def listed(self, *, limit: int = 100) -> tuple[Edition, ...]:
        """Editions, latest first."""

    def by_number(self, list_id: str, number: int) -> Edition:
        """The edition of a list with this number, or NotFoundError."""

    def newest_published(self, list_id: str) -> int:
        """The highest number of an edition of the list that was let go and not called off; 0 if there is none."""

    def published(self, list_id: str, *, first: int, last: int) -> tuple[Edition, ...]:
        """A list's editions from number `first` to `last` that were let go and not called off, latest first.

        Weekly editions are left out: they publish nothing that others have not.
        """

    def for_slot(self, digest_id: str, slot: str) -> Edition | None:
        """The edition that was frozen for this slot of a digest, if one was."""

    def rendered(self, edition_id: str, variant: str = "") -> Rendered:
        """The frozen documents of an edition, or of one of its variants that has some of its own."""

    def documents(self, edition_id: str) -> tuple[Rendered, ...]:
        """All frozen documents of an edition, its own first; none of an edition that is not there."""

    def variant(self, edition_id: str, name: str) -> Variant:
        """A form of an edition; the whole edition for the name "". NotFoundError if there is none of this name."""

    def variant_for(self, edition_id: str, subscriber_id: int) -> Place | None:
        """What one recipient gets of an edition; None for who is no recipient."""

    def pieces(self, edition_id: str) -> Draft:
        """What was frozen, as it was composed."""

    def move(self, edition_id: str, after: EditionState, *, now: datetime, because: str = "") -> Edition:
        """Move an edition where EDITION_MOVES allows it (MoveError otherwise).

        Cancelling suppresses what is still queued or deferred, and gives the stories back if nothing was ever begun.
        The edition is cancelled before that: who dies in between leaves the rest to `freeze_more`.
        """

    def finish(self, *, now: datetime) -> tuple[str, ...]:
        """Finish every approved edition with no queued, sending or deferred delivery; returns their ids."""

    def report(self, edition_id: str) -> Report:
        """The account of an edition; its states add up to its recipients."""


class Visits(Protocol):
    """What was counted of editions whose digests count."""

    def count(self, edition_id: str, url: str, agent: Agent) -> None:
        """One more. `url` is a link of the edition, empty for the edition being opened.

        Returns at once; it is kept within about a second, and lost by a program that is killed before, or a store that
        is away then.
        """

    def tallies(self, edition_id: str) -> tuple[Tally, ...]:
        """All counts of an edition, the highest first."""
