"""One dated number of a digest: what it shows, how it was rendered, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from newsletter.model.item import Direction, Image, Item
from newsletter.model.moves import Moves
from newsletter.model.publication import Digest, MailingList, Publication


class EditionState(StrEnum):
    """Waits for an editor; may be delivered; stopped for now; stopped for good; everyone has an outcome."""

    AWAITING = "awaiting-approval"
    APPROVED = "approved"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FINISHED = "finished"


EDITION_MOVES: Moves[EditionState] = Moves(
    "edition",
    {
        EditionState.AWAITING: {EditionState.APPROVED, EditionState.CANCELLED},
        EditionState.APPROVED: {EditionState.PAUSED, EditionState.CANCELLED, EditionState.FINISHED},
        EditionState.PAUSED: {EditionState.APPROVED, EditionState.CANCELLED},
        EditionState.FINISHED: {EditionState.APPROVED},
    },
)


PUBLISHED = frozenset({EditionState.APPROVED, EditionState.PAUSED, EditionState.FINISHED})
"""States of editions that were let go and not called off: what anybody may read."""

GOING = (EditionState.APPROVED, EditionState.PAUSED)
"""States of editions that were let go and are not over: more of them may be sent."""


class Role(StrEnum):
    """How an item stands in an edition: first and large, or one of the rest."""

    LEAD = "lead"
    TEASER = "teaser"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A partner that published the story too, for "also at"."""

    partner: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One item as an edition shows it: final texts, nothing left to decide.

    `html` and `paragraphs` carry the same words, the first for the HTML part and the second (plain text, one per
    paragraph; a subhead starts with "## ", a list item with "- ", a quotation with "> ") for the text part.
    `whole` is true for a full republication; otherwise a keep-reading link to `url` follows.
    """

    item_id: int
    story_id: int
    feed_id: str
    role: Role
    headline: str
    url: str
    partner: str
    homepage: str = ""
    dek: str = ""
    byline: str = ""
    section_line: str = ""
    credit_line: str = ""
    html: str = ""
    paragraphs: tuple[str, ...] = ()
    whole: bool = False
    image: Image | None = None
    language: str | None = None
    direction: Direction = Direction.LTR
    published_at: datetime | None = None
    also_at: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A section of an edition with what it shows; the title may be empty."""

    title: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Everything a digest's templates are rendered from; the first piece of the first part is the lead.

    `id` looks like `daily-2026-11-23`, `number` counts the editions of its mailing list from 1, `dated_at` is the
    moment it stands for (its slot), not the moment it was made.
    """

    id: str
    number: int
    digest: Digest
    mailing_list: MailingList
    publication: Publication
    dated_at: datetime
    parts: tuple[Part, ...]

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All pieces in reading order."""
        return tuple(piece for part in self.parts for piece in part.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A rendered mail with its per-subscriber fields still placeholders.

    Every placeholder is `nonce` followed by a field's letters; `nonce` is letters and digits only and occurs nowhere
    else. `fields` names those that occur. `html` is inlined; sizes are of the encoded parts.
    """

    subject: str
    html: str
    text: str
    preheader: str
    nonce: str
    fields: tuple[str, ...]
    html_bytes: int
    template_hash: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A frozen edition as stored, without its documents."""

    id: str
    digest_id: str
    list_id: str
    number: int
    state: EditionState
    subject: str
    slot: str
    dated_at: datetime
    frozen_at: datetime
    template_hash: str
    warnings: tuple[str, ...] = ()
    state_at: datetime | None = None
    """Since when it is in its state; None only where that was not asked for."""
    state_because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What compose decided about one candidate: taken into a section, or why not."""

    item: Item
    section: int | None
    because: str
