"""People, the lists they are on, and how they came to be there."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from newsletter.model.moves import Moves


class SubscriptionState(StrEnum):
    """pending: confirmation asked for; active: gets editions; the rest never again by themselves."""

    PENDING = "pending"
    ACTIVE = "active"
    LEFT = "left"
    SUPPRESSED = "suppressed"
    ERASED = "erased"


SUBSCRIPTION_MOVES: Moves[SubscriptionState] = Moves(
    "subscription",
    {
        SubscriptionState.PENDING: {
            SubscriptionState.ACTIVE,
            SubscriptionState.LEFT,
            SubscriptionState.SUPPRESSED,
            SubscriptionState.ERASED,
        },
        SubscriptionState.ACTIVE: {
            SubscriptionState.LEFT,
            SubscriptionState.SUPPRESSED,
            SubscriptionState.ERASED,
        },
        # Only the person brings themselves back: they sign up again and confirm.
        SubscriptionState.LEFT: {
            SubscriptionState.PENDING,
            SubscriptionState.ACTIVE,
            SubscriptionState.ERASED,
        },
        # When a suppression is lifted: back to where a mere bounce had found it, else out, for the person to decide.
        SubscriptionState.SUPPRESSED: {
            SubscriptionState.ACTIVE,
            SubscriptionState.LEFT,
            SubscriptionState.ERASED,
        },
    },
)


class AddressMove(StrEnum):
    """What became of a wish for another address when somebody confirmed it."""

    WAITS = "waits"
    """For the other address to confirm it too."""
    DONE = "done"
    TAKEN = "taken"
    """Somebody has the new address already: most likely the same person, who then leaves with the old one."""
    OVER = "over"
    """Confirmed before, too late, or another wish came after it."""


class Departure(StrEnum):
    """Why somebody left, if they say."""

    TOO_OFTEN = "too-often"
    NOT_FOR_ME = "not-for-me"
    NEVER_ASKED = "never-asked"
    ELSEWHERE = "elsewhere"
    OTHER = "other"


class SuppressionKind(StrEnum):
    """Why an address is never mailed again: erasure is no objection to mail, the others outlast all but an operator."""

    ERASED = "erased"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    OBJECTION = "objection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """An address that is not mailed, by its keyed hash (or a domain's pattern as it is), and why."""

    key: str
    kind: SuppressionKind | None
    """None for a domain."""
    reason: str
    at: datetime
    evidence: str | None = None
    """What a server said, without any address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A person. `address` is as they gave it; `fields` are free (name, value) pairs from imports."""

    id: int
    address: str
    name: str = ""
    language: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    created_at: datetime
    text_only: bool = False
    """Mails without HTML."""
    tracking: bool = True
    """Whether they may be counted where a digest counts; no digest does unless its settings say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A person on a list."""

    id: int
    subscriber_id: int
    list_id: str
    state: SubscriptionState
    since_at: datetime
    weekly: bool = False
    """One edition a week in place of each."""
    topics: tuple[str, ...] = ()
    """What they want to read about; empty for everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """What a person wants of one list."""

    weekly: bool = False
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a person wants of all their mail, and of each list by its id. `language` is BCP 47, None for ours."""

    language: str | None = None
    text_only: bool = False
    tracking: bool = True
    tastes: Mapping[str, Taste] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One move of a subscription, for the record: who said what, where, and when. Append-only."""

    subscription_id: int
    list_id: str
    before: SubscriptionState | None
    after: SubscriptionState
    at: datetime
    source: str
    """For example `import: council minutes 2025`, `web`, `one-click`, `cli`."""
    text: str = ""
    """The exact wording the person was shown, where there was one."""
    version: str = ""
    """The SHA-256 of that wording, in hexadecimal digits: the same for everybody who saw the same."""
    token: str = ""
    """Which link it was done by (`readers.tokens.token_id`), where it was a link."""
    remark: str = ""
    """What we noted ourselves, for example the reason of a suppression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """One row of an import, or one sign-up. `address` has been validated; `lists` are ids."""

    address: str
    name: str = ""
    lists: tuple[str, ...]
    fields: tuple[tuple[str, str], ...] = ()
    language: str | None = None


def address_key(address: str) -> str:
    """What all spellings of one address have in common: no case, one form of each letter, the domain not in punycode.

    A server may tell `Ann@` from `ann@` (RFC 5321 section 2.4); hardly one does, and people type both. For comparing
    only: mail goes to the address as it was given.
    """
    if address.isascii() and "xn--" not in (lowered := address.lower()):
        return lowered.strip()
    local, _, domain = unicodedata.normalize("NFC", address.strip()).rpartition("@")
    labels = (_unicode_label(label) for label in unicodedata.normalize("NFKC", domain).lower().split("."))
    return f"{unicodedata.normalize('NFC', local.casefold())}@{'.'.join(labels)}"


_ONE_MAILBOX = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}
"""Domains where dots and what follows a plus make no other mailbox, and the name they are compared under."""


def mailbox_key(address: str) -> str:
    """`address_key`, and at a provider known to do so without dots and tags: what two spellings of a mailbox share."""
    key = address_key(address)
    local, _, domain = key.rpartition("@")
    if domain not in _ONE_MAILBOX:
        return key
    bare = local.partition("+")[0].replace(".", "")
    return f"{bare}@{_ONE_MAILBOX[domain]}" if bare else key


def domain_patterns(domain: str) -> tuple[str, ...]:
    """The rules that a domain (as `address_key` spells it) falls under: itself, and `*.` with each domain above it."""
    labels = domain.split(".")
    return (domain, *(f"*.{'.'.join(labels[above:])}" for above in range(1, len(labels))))


def _unicode_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label
