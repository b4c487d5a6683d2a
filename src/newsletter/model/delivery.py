"""One edition on its way to one subscriber, and what servers said about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from newsletter.model.blame import Blame, Step
from newsletter.model.moves import Moves


class DeliveryState(StrEnum):
    """queued: not tried; sending: begun, its reply not kept yet; deferred: refused for now;
    unknown: we died in between.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"


DELIVERY_MOVES: Moves[DeliveryState] = Moves(
    "delivery",
    {
        DeliveryState.QUEUED: {DeliveryState.SENDING, DeliveryState.SUPPRESSED, DeliveryState.FAILED},
        DeliveryState.SENDING: {
            DeliveryState.SENT,
            DeliveryState.DEFERRED,
            DeliveryState.FAILED,
            DeliveryState.UNKNOWN,
            DeliveryState.QUEUED,  # the relay was lost before it could have accepted anything
        },
        DeliveryState.DEFERRED: {
            DeliveryState.SENDING,
            DeliveryState.FAILED,
            DeliveryState.SUPPRESSED,
            DeliveryState.QUEUED,
        },
        DeliveryState.UNKNOWN: {DeliveryState.QUEUED, DeliveryState.SENT, DeliveryState.FAILED},
        DeliveryState.SENT: {DeliveryState.FAILED},  # a report may come days later
        DeliveryState.FAILED: {DeliveryState.QUEUED},  # `resend --only failed`: the operator's decision
    },
)

OPEN_STATES = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEFERRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a server said (RFC 5321 section 4.2): `enhanced` is RFC 3463's code ("4.2.2") or empty, `text` one line."""

    code: int
    enhanced: str = ""
    text: str = ""


class LedgerKind(StrEnum):
    """Which ledger a claimed row belongs to: an edition's deliveries, or single letters
    (confirmation, welcome, goodbye).
    """

    EDITION = "edition"
    LETTER = "letter"


DeliveryKey = tuple[LedgerKind, int, int]
"""A row of a ledger as one worker held it: ledger, id, fence."""


@dataclass(slots=True, kw_only=True)  # made for each message: frozen ones take three times as long
class Claimed:
    """A delivery leased to one worker, with all that is needed to make its message.

    `batch` names the prepared message: an edition's id, or `KIND/LIST` for letters. `fence` must be shown again
    with every write: a worker whose lease ran out cannot write over its successor.
    """

    ledger: LedgerKind
    id: int
    batch: str
    variant: str
    subscriber_id: int
    subscription_id: int
    list_id: str
    address: str
    name: str
    fields: tuple[tuple[str, str], ...]
    attempts: int
    queued_at: datetime
    fence: int
    tracking: bool = True
    """Whether this reader may be counted."""
    change_id: int | None = None
    """The change of address that a letter is about."""


@dataclass(slots=True, kw_only=True)  # made for each message: frozen ones take three times as long
class Tried:
    """The outcome of one attempt, ready to be recorded. `due_at` is set for deferred ones only."""

    ledger: LedgerKind
    id: int
    fence: int
    state: DeliveryState
    reply: Reply | None
    because: str
    relay: str
    due_at: datetime | None = None
    counts: bool = True
    """False where nothing was tried (the relay was not there), so the attempt is not counted."""
    blame: Blame | None = None
    """What was in the way, as the judge sees it: what follows for the subscriber goes by it."""
    step: Step = Step.NONE
    """What the reply asks for, as a vote among others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How many recipients of an edition are in each state; the states add up to `recipients`."""

    edition: str
    recipients: int
    queued: int = 0
    sending: int = 0
    sent: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0
    suppressed: int = 0
    reasons: tuple[tuple[DeliveryState, str, int], ...] = ()
    """(state, reason in words, how many), most first."""
    waiting: tuple[tuple[str, int], ...] = ()
    """(provider, how many stand in line for it while it is held back), most first; they are queued or deferred."""
    variants: int = 1
    """In how many forms it was frozen."""
    left_out: int = 0
    """For how many recipients something is left out since they had it from another edition."""
    shortened: int = 0
    """For how many something is shortened for the same reason."""
    not_sent: int = 0
    """For how many nothing would have been left: they are suppressed, and get nothing of it."""
    nearest: int = 0
    """How many get a form that is not quite their own, because there would have been too many."""
    missed: int = 0
    """Of a cancelled edition: for how many another left something out since this one was to bring it."""
