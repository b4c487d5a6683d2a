"""Everything a site's settings say, checked and turned into values. `newsletter.config` makes it from the files."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from newsletter.errors import NotFoundError
from newsletter.model.feed import Feed
from newsletter.model.publication import Digest, MailingList, Publication
from newsletter.model.trouble import PATIENCE, Patience


class Secret:
    """A text that no log, dump or traceback shows; whoever needs it says so with `reveal()`.

    Not a dataclass: those tell their fields to everybody who asks.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself, for the one place that needs it."""
        return self.__text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.__text

    def __hash__(self) -> int:
        return hash(self.__text)

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"


class Tls(StrEnum):
    """How a relay's connection is encrypted."""

    NONE = "none"
    """smtp://: only where offered, and never to this machine itself. A password still needs a proven certificate."""
    IMPLICIT = "implicit"
    """smtps://: from the first byte."""
    STARTTLS = "starttls"
    """smtp+starttls://: required before anything is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """A mail server that takes our messages. `rate_per_minute` is None where only its speed is the limit."""

    name: str
    host: str
    port: int
    tls: Tls
    username: str | None = None
    password: Secret | None = None
    connections: int = 8
    rate_per_minute: float | None = None
    weight: int = 1
    warm_up: tuple[int, ...] = ()
    """The most messages of the first, the second, … day; no limit after the last."""
    warm_up_from: date | None = None
    """The first of these days, by the publication's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What the operator says of a receiving provider: domains that are its own besides those we know, and a rate."""

    name: str
    domains: tuple[str, ...] = ()
    rate_per_minute: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paces:
    """What holds for all relays together, and for whom we send to. `zone` is where days begin and end."""

    zone: ZoneInfo
    providers: tuple[Provider, ...] = ()
    rate_per_minute: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimKey:
    """A key that messages are signed with; the DNS has its other half at `selector`._domainkey.`domain`."""

    domain: str
    selector: str
    key_file: Path
    pem: Secret
    """What the file held when the settings were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collect:
    """How feeds are asked. `allow_private_hosts` are host names or addresses that the address guard lets through."""

    user_agent_contact: str
    allow_private_hosts: tuple[str, ...] = ()
    timeout: timedelta = timedelta(seconds=30)
    """For one poll in all: redirects, headers and body."""
    max_body_bytes: int = 10 * 1024 * 1024
    """Decoded; a larger body is refused."""
    concurrency: int = 16
    check_links: bool = False
    """Whether it is looked whether the pages of items that wait for an edition are still there."""
    websub: bool = False
    """Whether hubs are asked to push; they must reach `publication.base_url`."""


class WhenUnknown(StrEnum):
    """What becomes of a delivery that was begun and never answered: it waits for the operator, or is sent again."""

    HOLD = "hold"
    RESEND = "resend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """How deliveries are tried: the wait after a refusal doubles from `first_wait` up to `longest_wait`."""

    rate_per_minute: float | None = None
    """For all relays together."""
    unknown: WhenUnknown = WhenUnknown.HOLD
    first_wait: timedelta = timedelta(minutes=5)
    longest_wait: timedelta = timedelta(hours=4)
    give_up_after: timedelta = timedelta(hours=48)
    patience: Patience = PATIENCE
    """With mailboxes that are in trouble."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """Where the web pages are served on this machine; a proxy in front of them has `publication.base_url`."""

    host: str = "127.0.0.1"
    port: int = 8080
    allowed_hosts: tuple[str, ...] = ()
    """Besides that of base_url."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """An address on this machine at which something is served."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A whole site. Paths are absolute; lists, digests, relays and keys are in the order of the file, feeds by id."""

    publication: Publication
    store_url: Secret
    """sqlite:////absolute/path or postgresql://…, with its password."""
    relays: tuple[Relay, ...]
    providers: tuple[Provider, ...] = ()
    collect: Collect
    deliver: Deliver = field(default_factory=Deliver)
    web: Web = field(default_factory=Web)
    metrics: Listen | None = None
    """Where the operator's monitor asks; None where nobody does."""
    dkim: tuple[DkimKey, ...] = ()
    site_key: Secret | None = None
    """What tokens are sealed with where the settings give it; else the site makes its own (`site.site_keys`)."""
    lists: tuple[MailingList, ...] = ()
    digests: tuple[Digest, ...] = ()
    feeds: tuple[Feed, ...] = ()

    @property
    def paces(self) -> Paces:
        """How fast all relays together may send, and to whom."""
        zone = ZoneInfo(self.publication.timezone)
        return Paces(zone=zone, providers=self.providers, rate_per_minute=self.deliver.rate_per_minute)

    @property
    def hostname(self) -> str:
        """What we call ourselves to mail servers: the host of our pages, more often resolvable than the machine's."""
        return urlsplit(self.publication.base_url).hostname or "localhost"

    @property
    def every_digest(self) -> tuple[Digest, ...]:
        """The digests of the file, each with the weekly one beside it where it has one."""
        pairs = ((digest, digest.companion) for digest in self.digests)
        return tuple(digest for pair in pairs for digest in pair if digest is not None)

    def mailing_list(self, list_id: str) -> MailingList:
        """The list with this id, or NotFoundError that names those there are."""
        return _found("list", list_id, self.lists)

    def digest(self, digest_id: str) -> Digest:
        """The digest with this id, or NotFoundError that names those there are."""
        return _found("digest", digest_id, self.every_digest)

    def feed(self, feed_id: str) -> Feed:
        """The feed with this id, or NotFoundError that names those there are."""
        return _found("feed", feed_id, self.feeds)


_Named = TypeVar("_Named", MailingList, Digest, Feed)


def _found(noun: str, wanted: str, among: tuple[_Named, ...]) -> _Named:
    for one in among:
        if one.id == wanted:
            return one
    names = ", ".join(one.id for one in among)
    raise NotFoundError(noun, wanted, hint=f"there are {names}" if names else "there is none")
