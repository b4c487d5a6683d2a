"""The publication, its mailing lists and its digests, as editors configure them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from newsletter.model.visit import Tracking


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """A display name and an address (RFC 5322 section 3.4): `name` may be empty."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """The part behind the @, as given."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Who publishes. `base_url` has no trailing slash; `links` are (label, URL) pairs for the footer."""

    name: str
    base_url: str
    sender: Mailbox
    reply_to: str | None
    bounce_address: str
    language: str
    timezone: str
    postal_address: str
    links: tuple[tuple[str, str], ...] = ()
    hub: str | None = None
    """The WebSub hub that tells followers of our feeds at once; it is told by us."""

    def on(self, mailing_list: MailingList) -> Publication:
        """As it is on a list, which may have a language of its own."""
        return replace(self, language=mailing_list.language or self.language)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingList:
    """A list people subscribe to; `id` is its key in the settings."""

    id: str
    title: str
    description: str = ""
    double_opt_in: bool = True
    language: str | None = None
    """BCP 47; None for the publication's."""


class Approval(StrEnum):
    """Who lets an edition go: nobody needs to, or an editor."""

    AUTO = "auto"
    EDITOR = "editor"


class Full(StrEnum):
    """Which items of an edition are carried whole where their rights allow it."""

    NONE = "none"
    LEAD = "lead"
    ALL = "all"


class WhenFew(StrEnum):
    """What happens to items too few for an edition: they wait for the next one, or are passed over for good."""

    KEEP = "keep"
    SKIP = "skip"


class AlreadySent(StrEnum):
    """What becomes of a story in an edition to a reader who got it from another edition: it is left out, shown as no
    more than a headline, or shown all the same.
    """

    LEAVE_OUT = "leave-out"
    SHORTEN = "shorten"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A titled part of a digest. Empty `feeds` or `topics` mean any; an item goes to the first
    section that takes it.
    """

    title: str
    feeds: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    max_items: int | None = None


_ROOM_FOR = 3
"""How many editions' pieces an edition for a week may have: with more it would not fit into a mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A recurring newsletter. `schedule` is a five-field cron line as cron means it (0 and 7 are Sunday)."""

    id: str
    list_id: str
    schedule: str | None
    subject: str
    timezone: str
    title: str = ""
    approval: Approval = Approval.AUTO
    min_items: int = 1
    max_items: int = 12
    catch_up: timedelta = timedelta(hours=6)
    full: Full = Full.LEAD
    when_few: WhenFew = WhenFew.KEEP
    already_sent: AlreadySent = AlreadySent.LEAVE_OUT
    weekly: str | None = None
    """The cron line of the edition for those who want one a week; None where readers cannot choose that."""
    segment: str | None = None
    """Whom of the list it is for (see `segment.py`); None for everybody."""
    weekly_of: str = ""
    """The digest whose week this one tells, for an edition of such readers."""
    tracking: tuple[Tracking, ...] = ()
    """What is counted; nothing unless the settings say so."""
    sections: tuple[Section, ...] = field(default_factory=tuple)
    """Never empty: a digest configured with `feeds` alone has one section without title."""

    @property
    def companion(self) -> Digest | None:
        """The digest of the readers who want one edition a week, with room for several editions' pieces.

        Its id cannot be that of a configured one: those have no dot.
        """
        if self.weekly is None:
            return None
        return replace(
            self,
            id=f"{self.id}.weekly",
            schedule=self.weekly,
            weekly=None,
            weekly_of=self.id,
            min_items=1,
            max_items=self.max_items * _ROOM_FOR,
            when_few=WhenFew.KEEP,
            # What somebody had before they chose one a week, or on another list, is no part of their week.
            already_sent=AlreadySent.LEAVE_OUT,
            sections=tuple(
                replace(section, max_items=section.max_items and section.max_items * _ROOM_FOR)
                for section in self.sections
            ),
        )

    @property
    def feeds(self) -> tuple[str, ...]:
        """Every feed named by a section, once, in order."""
        return tuple(dict.fromkeys(feed for section in self.sections for feed in section.feeds))
