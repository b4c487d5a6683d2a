"""A feed and its partner as editors configure them, and what we remember of asking it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.model.text import counted, together


class Reuse(StrEnum):
    """How much of an item its partner lets us show, from most to least."""

    FULL = "full"
    EXCERPT = "excerpt"
    TEASER = "teaser"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a partner allows. `credit` may contain `{partner}`; an empty credit means no credit line is owed."""

    reuse: Reuse = Reuse.TEASER
    credit: str = ""
    embargo: timedelta = timedelta(0)
    expires: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Words or `/regular expressions/` looked for in headline, text, category and byline.

    An item passes if any include matches (or there is none) and no exclude does.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One partner feed. `id` is the name of its file in `feeds/`, without `.toml`."""

    id: str
    url: str
    partner: str
    homepage: str = ""
    kind: str = ""
    topics: tuple[str, ...] = ()
    language: str | None = None
    poll_every: timedelta = timedelta(hours=1)
    original: bool = True
    first_poll: int = 10
    enabled: bool = True
    encoding: str | None = None
    full_text: bool = False
    rights: Rights = field(default_factory=Rights)
    filter: Filter = field(default_factory=Filter)


class FeedState(StrEnum):
    """How a feed is doing: never polled; polled; held for an operator; gone for good (410); switched off."""

    NEW = "new"
    ACTIVE = "active"
    HELD = "held"
    GONE = "gone"
    DISABLED = "disabled"


@dataclass(slots=True, kw_only=True)  # made for each feed that is asked: frozen ones take three times as long
class Validators:
    """What the server gave to ask "has it changed?" with (RFC 9110 section 8.8), byte for byte, or None."""

    etag: str | None = None
    last_modified: str | None = None
    origin: str | None = field(default=None, compare=False)
    """`https://a.example`, the server that gave them: they are told to no other. None: the one of the URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A permanent redirect that a feed's address was seen to answer with, again and again."""

    to: str
    since_at: datetime
    last_at: datetime
    times: int = 1
    """Sightings; several within hours are one."""
    followed: bool = False
    """It was believed: the feed is asked there now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A hub that pushes what is new in a feed to who subscribes there, and what the feed is called there."""

    hub: str
    topic: str


@dataclass(slots=True, kw_only=True)  # made for each feed that is asked: frozen ones take three times as long
class Habits:
    """What a feed said of its rhythm, and what was learned by asking it."""

    skip_hours: frozenset[int] = frozenset()
    """Hours (UTC) in which it does not want to be asked."""
    skip_days: frozenset[int] = frozenset()
    """Days (UTC) in which it does not want to be asked; Monday is 0."""
    lasts: timedelta | None = None
    """How long its document says that it stays as it is (RSS ttl, sy:updatePeriod)."""
    window: int = 0
    """How many entries its last document had."""
    pace: timedelta | None = None
    """The usual time between two new entries."""
    news_at: datetime | None = None
    """When it last brought something new."""
    slowed: int = 0
    """How often its rhythm is doubled, because its server said that it was too busy."""
    gap_at: datetime | None = None
    """When it last shared nothing with what it had shown before: entries may have been missed."""
    move: Move | None = None
    hub: Announced | None = None
    unpushed_at: datetime | None = None
    """When asking it last brought something new, which its hub had not pushed by then."""


def awaited(feed_id: str, many: int | None = None) -> str:
    """What an operator is told of a feed whose items are held, and can do about it."""
    items = "items" if many is None else counted(many, "item")
    held = f"{items} that came at once {'is' if many == 1 else 'are'} held"
    see = f"see `newsletter items --feed {feed_id} --state held`"
    return f"{held}: {see}, then `newsletter feeds release {feed_id}`"


@dataclass(slots=True, kw_only=True)  # made for each feed that is asked: frozen ones take three times as long
class FeedHealth:
    """What we remember of one feed between polls. `because` says in words what was wrong with the last try, or None."""

    feed_id: str
    url: str
    state: FeedState = FeedState.NEW
    validators: Validators = field(default_factory=Validators)
    body_hash: str | None = None
    last_status: int | None = None
    last_try_at: datetime | None = None
    last_success_at: datetime | None = None
    next_poll_at: datetime | None = None
    not_before_at: datetime | None = None
    """A Retry-After the server gave: not even `poll --force` asks earlier."""
    failures: int = 0
    because: str | None = None
    habits: Habits = field(default_factory=Habits)
    fence: int = field(default=0, compare=False)
    """How often the feed had been taken for polling: what somebody took earlier and keeps later is not written."""

    @property
    def wrong(self) -> str | None:
        """All that is wrong, in words, or None: that it waits for an operator, and what the last try met with."""
        return together(awaited(self.feed_id) if self.state is FeedState.HELD else None, self.because)

    @property
    def address(self) -> str:
        """Where the feed is asked: its URL, or where it has moved to for good."""
        move = self.habits.move
        return move.to if move and move.followed else self.url
