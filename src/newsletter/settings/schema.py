"""The tables and keys of config.toml, with their rules; those of feeds/NAME.toml are in `feedfile`.

docs/settings.md is made from these: the docstring of a table and the description of a key are what editors read.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from newsletter.model.publication import AlreadySent, Approval, Full, WhenFew
from newsletter.model.settings import WhenUnknown
from newsletter.model.trouble import PATIENCE
from newsletter.model.visit import Tracking
from newsletter.settings import kinds
from newsletter.settings.faults import refuse, shown
from newsletter.settings.surroundings import around

# Strict everywhere else: TOML has types of its own. Choices are texts in TOML, whatever they are here.
CHOICE = Field(strict=False)


class Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


def _not_beside(other: str) -> Callable[[object, ValidationInfo], object]:
    def check(value: object, info: ValidationInfo) -> object:
        if value is not None and info.data.get(other) is not None:
            raise refuse(f"expected either this or {other}, not both", got="both")
        return value

    return check


class PublicationTable(Table):
    """Who publishes, and what every mail says about it."""

    name: kinds.Text = Field(description="The publication's name, in the masthead of every mail.")
    base_url: kinds.BaseUrl = Field(description="Where readers reach the web pages: https://, or http:// on loopback.")
    sender: kinds.Sender = Field(alias="from", description="Sender of every mail: `Name <address>`.")
    reply_to: kinds.Address | None = Field(default=None, description="Where answers go, if not to the sender.")
    bounce_address: kinds.BounceAddress = Field(
        description="Where failures are reported; its local part gets a signed token: bounces+TOKEN@…"
    )
    language: kinds.Language = Field(default="en", description="BCP 47; the direction of writing follows from it.")
    timezone: kinds.Zone = Field(default="UTC", description="For schedules and dates: a zone of the IANA database.")
    postal_address: str = Field(default="", description="In the footer of every mail; many countries require it.")
    links: dict[str, kinds.WebAddress] = Field(default={}, description="Links in the footer: label = address.")
    hub: kinds.WebAddress | None = Field(
        default=None,
        description="A WebSub hub: our feeds name it, and it is told of every edition, so that followers need not ask.",
    )
    key_file: kinds.SecretFile | None = Field(
        default=None,
        description="A file with the key that links are sealed with, newest first where it has several lines. "
        "Without it the site makes its own: var/site.key.",
    )


class StoreTable(Table):
    """Where the state is kept: SQLite in a file, or PostgreSQL."""

    url: kinds.StoreAddress | None = Field(
        default=None,
        description="`sqlite:///PATH` or `postgresql://user@host/database`. Default: `sqlite:///var/newsletter.db`.",
    )
    url_file: kinds.StoreAddressFile | None = Field(default=None, description="A file that holds the url instead.")
    password: kinds.SecretText | None = Field(default=None, description="Password for PostgreSQL.")
    password_file: kinds.SecretFile | None = Field(default=None, description="A file that holds it instead.")

    _one_url = field_validator("url_file")(_not_beside("url"))
    _one_password = field_validator("password_file")(_not_beside("password"))


class RelayTable(Table):
    """A mail server that takes our messages; several share the work and stand in for one another."""

    name: kinds.Name = Field(description="How reports call it.")
    url: kinds.RelayAddress = Field(
        description="`smtp://` (TLS where offered), `smtps://` (TLS from the start) or `smtp+starttls://` "
        "(required), then `user@host:port`. Default ports: 25, 465, 587."
    )
    username: kinds.Text | None = Field(default=None, description="If not in the url.")
    password: kinds.SecretText | None = Field(default=None, description="If not in the url; better in a file.")
    password_file: kinds.SecretFile | None = Field(default=None, description="A file that holds the password.")
    connections: Annotated[int, Field(ge=1, le=1000)] = Field(default=8, description="At the same time, at most.")
    rate: kinds.Rate | None = Field(
        default=None, description='Messages, at most: "10/second", "6000/minute", "500/hour".'
    )
    weight: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=1, description="Share of the work beside other relays."
    )
    warm_up: list[Annotated[int, Field(ge=1)]] = Field(
        default=[],
        description="The most messages of its first day, the second, …: [500, 1000, 2000]. After the last there is no "
        "limit; what does not fit into a day waits for the next.",
    )
    warm_up_from: kinds.Day | None = Field(
        default=None,
        validate_default=True,
        description="The first of these days, by the publication's clock: 2026-11-23.",
    )

    _one_password = field_validator("password_file")(_not_beside("password"))

    @field_validator("warm_up_from")
    @classmethod
    def _beside_warm_up(cls, value: date | None, info: ValidationInfo) -> date | None:
        if value is None and info.data.get("warm_up"):
            raise refuse("expected a date with warm_up", got="nothing")
        return value


class ProviderTable(Table):
    """Who receives for many, paced as one: NAME is one we know (google, microsoft, yahoo, apple, gmx …) or new."""

    domains: list[kinds.Domain] = Field(
        default=[],
        description="Domains of its customers, besides its own that we know: whose mail exchangers are the provider's.",
    )
    rate: kinds.Rate | None = Field(
        default=None, description="Messages, at most. It gets fewer for a while when it asks for patience."
    )


class DkimTable(Table):
    """A key that messages are signed with; several sign side by side."""

    domain: kinds.Domain = Field(description="The signing domain, that of `from` or a parent of it.")
    selector: kinds.Domain = Field(description="The DNS has the public key at SELECTOR._domainkey.DOMAIN.")
    key_file: kinds.DkimKeyFile = Field(
        description="The private key (PEM, no password): RSA from 1024 bits, better 2048, or Ed25519. "
        "`newsletter dkim keygen` makes one."
    )


class CollectTable(Table):
    """How partners' feeds are asked."""

    user_agent_contact: kinds.Contact | None = Field(
        default=None, description="A page or `mailto:` that says who asks, sent to publishers. Default: base_url."
    )
    allow_private_hosts: list[kinds.HostOrNetwork] = Field(
        default=[],
        description="Names, IP addresses or networks (`10.1.0.0/16`) in private address space that feeds may be on: "
        "for tests and intranets.",
    )
    timeout: kinds.Wait = Field(default=timedelta(seconds=30), description="For one feed in all, redirects included.")
    max_body_bytes: Annotated[int, Field(ge=1024)] = Field(
        default=10 * 1024 * 1024, description="Larger feeds are refused; counted after decompression."
    )
    concurrency: Annotated[int, Field(ge=1, le=1000)] = Field(default=16, description="Feeds asked at the same time.")
    check_links: bool = Field(
        default=False,
        description="Whether the pages of accepted items that wait for an edition are looked at, a few times a day and "
        "where robots.txt lets us: an item whose page is gone (404, 410) twice is retracted.",
    )
    websub: bool | None = Field(
        default=None,
        description="Whether hubs that feeds announce (WebSub) push to base_url what is new; a process must serve "
        "the web pages. Default: true where base_url is https://.",
    )


class DeliverTable(Table):
    """How mail is delivered, and what happens when it is not."""

    unknown: Annotated[WhenUnknown, CHOICE] = Field(
        default=WhenUnknown.HOLD,
        description="A delivery that was begun and never answered waits for your decision (hold), or goes out again "
        "with the same Message-ID (resend).",
    )
    rate: kinds.Rate | None = Field(default=None, description="Messages, at most, over all relays together.")
    first_wait: kinds.Wait = Field(
        default=timedelta(minutes=5), description="Before the second try; doubles each time."
    )
    longest_wait: kinds.Wait = Field(default=timedelta(hours=4), description="Between two tries.")
    give_up_after: kinds.Wait = Field(default=timedelta(hours=48), description="News goes stale: no tries after this.")
    bounce_score_threshold: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=PATIENCE.threshold,
        description="Each delivery that fails for trouble with the mailbox (full, shut, out of order) adds one to its "
        "score; at this score the address is suppressed. A success in between forgets it.",
    )
    bounce_score_half_life: kinds.Wait = Field(
        default=PATIENCE.half_life, description="The score halves in this time without more trouble."
    )
    bounce_score_at_least: kinds.Duration = Field(
        default=PATIENCE.at_least, description="Trouble must have gone on for so long before it suppresses anybody."
    )

    @field_validator("longest_wait")
    @classmethod
    def _not_shorter(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        if value < info.data.get("first_wait", value):
            raise refuse("expected no less than first_wait")
        return value


class ListTable(Table):
    """A mailing list that people join and leave; NAME is part of its addresses."""

    title: kinds.Text = Field(description="What readers see.")
    description: str = Field(default="", description="What they get, in a sentence.")
    double_opt_in: bool = Field(default=True, description="Whether who signs up confirms by mail first.")
    language: kinds.Language | None = Field(
        default=None, description="BCP 47, if not the publication's: of its mails, pages and feeds."
    )


class SectionTable(Table):
    """A titled part of a digest; an item goes to the first section that takes it."""

    title: str = Field(default="", description="Above the section.")
    feeds: list[kinds.FeedName] = Field(default=[], description="Only from these; else from all feeds of the digest.")
    topics: list[kinds.Text] = Field(default=[], description="Only with one of these topics; else any.")
    max_items: Annotated[int, Field(ge=1, le=500)] | None = Field(default=None, description="At most so many.")


class DigestTable(Table):
    """A recurring newsletter; NAME begins the ids of its editions."""

    mailing_list: kinds.ListName = Field(alias="list", description="The list it goes to.")
    title: str = Field(default="", description="In the masthead, if not the title of the list.")
    schedule: kinds.Cron | None = Field(
        default=None,
        description="When: minute, hour, day of month, month, day of week, as cron reads them (0 and 7 are Sunday). "
        "Without it only `compose` makes editions.",
    )
    timezone: kinds.Zone | None = Field(default=None, description="For the schedule, if not the publication's.")
    segment: kinds.SegmentLine | None = Field(
        default=None,
        description='Only for these readers of the list: `field.town = "Cork" and joined before 90d ago`. '
        "See [segments](segments.md).",
    )
    weekly: kinds.Cron | None = Field(
        default=None,
        description="When readers who chose one edition a week get theirs, with what they have not had yet. Without it "
        "they cannot choose that.",
    )
    subject: kinds.Text = Field(default="{{ lead.headline }}", description="Subject line, a Jinja2 template.")
    approval: Annotated[Approval, CHOICE] = Field(
        default=Approval.AUTO, description="Whether editions go by themselves (auto) or wait for an editor."
    )
    min_items: Annotated[int, Field(ge=1, le=500)] = Field(default=1, description="With fewer there is no edition.")
    max_items: Annotated[int, Field(ge=1, le=500)] = Field(default=12, description="The newest so many.")
    when_few: Annotated[WhenFew, CHOICE] = Field(
        default=WhenFew.KEEP,
        description="Items too few for an edition wait for the next (keep) or are passed over (skip).",
    )
    already_sent: Annotated[AlreadySent, CHOICE] = Field(
        default=AlreadySent.LEAVE_OUT,
        description="A story that a reader got from another edition, of whatever list, is left out for that reader "
        "(leave-out), shown as a headline (shorten), or shown again (keep).",
    )
    full: Annotated[Full, CHOICE] = Field(
        default=Full.LEAD, description="Which items are carried whole where their rights allow it."
    )
    catch_up: kinds.Duration = Field(
        default=timedelta(hours=6), description="An edition that is later than this is skipped, and says so."
    )
    tracking: list[Annotated[Tracking, CHOICE]] = Field(
        default=[],
        description="What is counted: `opens`, `clicks`, both, or nothing. Counts are by edition and link, never by "
        "reader, and readers can opt out.",
    )
    feeds: list[kinds.FeedName] = Field(default=[], description="Where its items come from.")
    sections: list[SectionTable] = Field(default=[], validate_default=True, description="Its parts, in order.")

    @field_validator("max_items")
    @classmethod
    def _not_fewer(cls, value: int, info: ValidationInfo) -> int:
        least = info.data.get("min_items", value)
        if value < least:
            raise refuse(f"expected at least min_items, which is {least}")
        return value

    @field_validator("sections")
    @classmethod
    def _from_somewhere(cls, value: list[SectionTable], info: ValidationInfo) -> list[SectionTable]:
        if not value and info.data.get("feeds") == [] and around(info).feeds is not None:
            raise refuse("expected feeds, or sections that have feeds", got="neither")
        return value


class WebTable(Table):
    """Where the web pages are served."""

    listen: kinds.Listen | None = Field(
        default=None,
        description="HOST:PORT on this machine. Without it: where base_url points if that is loopback, "
        "else 127.0.0.1:8080, for a proxy.",
    )
    allowed_hosts: list[kinds.Host] = Field(
        default=[],
        description="Further names that the pages answer to besides base_url's, such as an earlier one; "
        "forms on these sites may sign people up.",
    )


class MetricsTable(Table):
    """What a monitor asks: `/metrics` for Prometheus and `/healthz`, apart from the public pages."""

    listen: kinds.Listen | None = Field(
        default=None,
        description="HOST:PORT on this machine, where no reader gets; without it nothing is served. Each `run` on one "
        "machine needs a port of its own (NEWSLETTER_METRICS_LISTEN).",
    )


class ConfigFile(Table):
    """config.toml"""

    publication: PublicationTable
    store: StoreTable = StoreTable()
    relays: Annotated[list[RelayTable], Field(min_length=1)]
    providers: dict[kinds.Name, ProviderTable] = {}
    dkim: list[DkimTable] = []
    collect: CollectTable = CollectTable()
    deliver: DeliverTable = DeliverTable()
    web: WebTable = WebTable()
    metrics: MetricsTable = MetricsTable()
    lists: dict[kinds.Name, ListTable] = {}
    digests: dict[kinds.Name, DigestTable] = {}

    @field_validator("dkim")
    @classmethod
    def _records_once(cls, value: list[DkimTable]) -> list[DkimTable]:
        records = [(key.domain, key.selector) for key in value]
        for index, record in enumerate(records):
            if record in records[:index]:
                raise refuse("expected a selector for each key", got=shown(record[1]), at=(index, "selector"))
        return value

    @field_validator("providers")
    @classmethod
    def _domains_once(cls, value: dict[str, ProviderTable]) -> dict[str, ProviderTable]:
        owners: dict[str, str] = {}
        for name, provider in value.items():
            for index, domain in enumerate(provider.domains):
                if (other := owners.setdefault(domain, name)) != name:
                    raise refuse(f"expected a domain that {other} does not have", at=(name, "domains", index))
        return value

    @field_validator("relays")
    @classmethod
    def _names_once(cls, value: list[RelayTable]) -> list[RelayTable]:
        names = [relay.name for relay in value]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise refuse("expected a name that no other relay has", got=shown(name), at=(index, "name"))
        return value
