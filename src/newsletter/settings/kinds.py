"""Kinds of values in settings, each with its rule: text as an editor writes it in, a checked value out."""

from __future__ import annotations

import codecs
import re
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from string import Formatter
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo

from newsletter.errors import AddressError, DkimKeyError, SegmentError
from newsletter.model.publication import Mailbox
from newsletter.model.segment import parsed
from newsletter.model.settings import Secret
from newsletter.settings.faults import refuse, shown
from newsletter.settings.surroundings import around
from newsletter.settings.urls import RelayUrl, base_url, relay_url, store_url, web_address

_DURATION = re.compile(r"(?:(\d{1,9})w)?(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?")
_LONGEST_DAYS = 3650
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
# RFC 5646 section 2.1: language, extended language, script, region, variants, extensions, private use.
_LANGUAGE = re.compile(
    r"[a-z]{2,3}(-[a-z]{3}){0,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?(-([a-z\d]{5,8}|\d[a-z\d]{3}))*"
    r"(-[\da-wy-z](-[a-z\d]{2,8})+)*(-x(-[a-z\d]{1,8})+)?",
    re.IGNORECASE,
)
_MAILBOX = re.compile(r'\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^"<>]*?))\s*<(?P<address>[^<>]+)>\s*')
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*", re.IGNORECASE)
_HOST = re.compile(r"[\w.-]+|[\da-fA-F:.]+")
_RATE = re.compile(r"(\d{1,9})/(second|minute|hour)")
_PER_MINUTE = {"second": 60.0, "minute": 1.0, "hour": 1 / 60}
# RFC 5321 allows 64 characters before the @; our token and the plus sign take 30 of them.
_LONGEST_BOUNCE_LOCAL_PART = 34


def _duration(text: object) -> timedelta:
    match = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
    if match is None:
        raise refuse('expected a duration such as "90m", "6h" or "365d"')
    weeks, days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    days += weeks * 7
    if days + hours / 24 + minutes / 1440 + seconds / 86400 > _LONGEST_DAYS:
        raise refuse(f"expected at most {_LONGEST_DAYS} days")
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _some_time(duration: timedelta) -> timedelta:
    if not duration:
        raise refuse("expected more than no time at all")
    return duration


def name_fault(text: str) -> str | None:
    """Why a text cannot be the name of a feed, a list, a digest or a relay."""
    return None if _NAME.fullmatch(text) else "expected lower-case letters, digits, - and _, at most 63"


def _name(text: str) -> str:
    if fault := name_fault(text):
        raise refuse(fault)
    return text


def _language(text: str) -> str:
    if _LANGUAGE.fullmatch(text):
        return text
    hyphens = text.replace("_", "-")
    hint = f", did you mean '{hyphens}'?" if hyphens != text and _LANGUAGE.fullmatch(hyphens) else ""
    raise refuse(f'expected a language tag (BCP 47) such as "en" or "pt-BR"{hint}')


def _pattern(text: str) -> str:
    if not text.strip():
        raise refuse("expected a word or a /regular expression/")
    if len(text) > 1 and text.startswith("/") and text.endswith("/"):
        try:
            re.compile(text[1:-1])
        except re.error as error:
            raise refuse(f"expected a regular expression: {error}") from error
    return text


def _credit(text: str) -> str:
    try:
        names = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise refuse(f"expected text with {{partner}} at most: {error}") from error
    if names - {"partner"}:
        raise refuse("expected no other placeholder than {partner}")
    return text


def _encoding(text: str) -> str:
    try:
        return codecs.lookup(text).name
    except LookupError:
        raise refuse('expected an encoding such as "utf-8" or "windows-1256"') from None


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        close = get_close_matches(text, sorted(available_timezones()), n=1)
        hint = f", did you mean '{close[0]}'?" if close else ""
        raise refuse(f'expected a time zone of the IANA database such as "Europe/London"{hint}') from None
    return text


def _segment(text: str) -> str:
    try:
        parsed(text)
    except SegmentError as error:
        raise refuse(f"at character {error.at}: {error.rule}", got=shown(error.got) if error.got else None) from None
    return text


def _cron(text: str) -> str:
    from newsletter.compose.slots import schedule_fault  # noqa: PLC0415 only a site with schedules needs it

    if fault := schedule_fault(text):
        rule, _, got = fault.removesuffix(")").partition(" (got ")
        raise refuse(rule, got=got or None)
    return text


def _address(text: str) -> str:
    from newsletter.readers.address import checked  # noqa: PLC0415 costs as much as all the rest here

    try:
        return checked(text)
    except AddressError as error:
        raise refuse(f"expected a mail address: {error.because}") from error


def _own_address(text: str) -> str:
    """An address we send from: with letters beyond ASCII before the @, most servers would refuse it."""
    checked = _address(text)
    if not checked.rpartition("@")[0].isascii():
        raise refuse("expected only ASCII before the @: not every server takes more (RFC 6531)")
    return checked


def _bounce_address(text: str) -> str:
    checked = _own_address(text)
    if len(checked.rpartition("@")[0]) > _LONGEST_BOUNCE_LOCAL_PART:
        raise refuse(f"expected at most {_LONGEST_BOUNCE_LOCAL_PART} characters before the @: a token is added there")
    return checked


def _mailbox(text: object) -> Mailbox:
    if not isinstance(text, str):
        raise refuse('expected a sender such as "The Brief <brief@example.org>"')
    match = _MAILBOX.fullmatch(text)
    if match is None:
        return Mailbox(name="", address=_own_address(text.strip()))
    quoted = match["quoted"]
    name = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else match["plain"]
    if not name.isprintable():
        raise refuse("expected a name without control characters")
    return Mailbox(name=name, address=_own_address(match["address"].strip()))


def _rate(text: object) -> float:
    match = _RATE.fullmatch(text) if isinstance(text, str) else None
    if match is None or int(match[1]) == 0:
        raise refuse('expected a rate such as "6000/minute", "10/second" or "500/hour"')
    return int(match[1]) * _PER_MINUTE[match[2]]


def _day(value: object) -> date:
    # TOML has dates of its own; a variable of the environment has text. An instant is no day.
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise refuse("expected a day such as 2026-11-23") from None


def _listen(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:  # noqa: PLR2004 the ports there are
        raise refuse("expected HOST:PORT, for example 127.0.0.1:8080")
    return text


def _feed_name(name: str, info: ValidationInfo) -> str:
    names = around(info).feeds
    return name if names is None else _known(name, noun="feed", names=names)


def _list_name(name: str, info: ValidationInfo) -> str:
    return _known(name, noun="list", names=around(info).lists)


def _known(name: str, *, noun: str, names: frozenset[str]) -> str:
    if name in names:
        return name
    close = get_close_matches(name, sorted(names), n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"there is {', '.join(sorted(names)) or 'none'}"
    raise refuse(f"no such {noun}, {hint}")


def _existing_file(text: object, info: ValidationInfo) -> Path:
    if not isinstance(text, str) or not text:
        raise refuse("expected the path of a file")
    path = around(info).folder / text
    if not path.is_file():
        raise refuse("no such file")
    return Path(path)


def _secret_file(text: object, info: ValidationInfo) -> Secret:
    path = _existing_file(text, info)
    try:
        content = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        because = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise refuse(f"expected a file that can be read: {because}") from error
    if not content:
        raise refuse("expected a file that is not empty")
    return Secret(content)


class KeyFile(NamedTuple):
    """A file with a private key, and what is in it."""

    path: Path
    content: Secret


def _dkim_key_file(text: object, info: ValidationInfo) -> KeyFile:
    from newsletter.deliver.dkimkeys import read_key  # noqa: PLC0415 slow to load, and most sites have no key

    file = KeyFile(_existing_file(text, info), _secret_file(text, info))
    try:
        read_key(file.content.reveal())
    except DkimKeyError as error:
        raise refuse(str(error)) from error
    return file


def _secret(text: object) -> Secret:
    if not isinstance(text, str) or not text:
        raise refuse("expected a text in quotes that is not empty", got="…")
    return Secret(text)


def _store_address_file(text: object, info: ValidationInfo) -> Secret:
    return store_url(_secret_file(text, info).reveal(), info)


def domain_fault(text: str) -> str | None:
    """Why a text cannot be a domain, or a selector below one."""
    return None if _DOMAIN.fullmatch(text) else "expected a domain name in ASCII, such as news.example.org"


def _domain(text: str) -> str:
    if fault := domain_fault(text):
        raise refuse(fault)
    return text.lower()


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise refuse("expected a host name or an IP address alone")
    return text.lower()


def _host_or_network(text: str) -> str:
    if "/" not in text:
        return _host(text)
    try:
        return str(ip_network(text))
    except ValueError:
        raise refuse("expected a network such as 10.1.0.0/16: an IP address whose other bits are zero") from None


def _contact(text: str) -> str:
    if text.startswith("mailto:"):
        return f"mailto:{_address(text.removeprefix('mailto:'))}"
    return web_address(text)


Text = Annotated[str, Field(min_length=1)]
Duration = Annotated[timedelta, PlainValidator(_duration)]
Wait = Annotated[timedelta, PlainValidator(_duration), AfterValidator(_some_time)]
Name = Annotated[str, AfterValidator(_name)]
Language = Annotated[str, AfterValidator(_language)]
Zone = Annotated[str, AfterValidator(_zone)]
SegmentLine = Annotated[str, AfterValidator(_segment)]
Cron = Annotated[str, AfterValidator(_cron)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Credit = Annotated[str, AfterValidator(_credit)]
Encoding = Annotated[str, AfterValidator(_encoding)]
Address = Annotated[str, AfterValidator(_address)]
BounceAddress = Annotated[str, AfterValidator(_bounce_address)]
Sender = Annotated[Mailbox, PlainValidator(_mailbox)]
WebAddress = Annotated[str, AfterValidator(web_address)]
BaseUrl = Annotated[str, AfterValidator(base_url)]
RelayAddress = Annotated[RelayUrl, PlainValidator(relay_url)]
StoreAddress = Annotated[Secret, PlainValidator(store_url)]
StoreAddressFile = Annotated[Secret, PlainValidator(_store_address_file)]
Domain = Annotated[str, AfterValidator(_domain)]
Host = Annotated[str, AfterValidator(_host)]
HostOrNetwork = Annotated[str, AfterValidator(_host_or_network)]
Contact = Annotated[str, AfterValidator(_contact)]
Listen = Annotated[str, AfterValidator(_listen)]
Rate = Annotated[float, PlainValidator(_rate)]
Day = Annotated[date, PlainValidator(_day)]
FeedName = Annotated[str, AfterValidator(_feed_name)]
ListName = Annotated[str, AfterValidator(_list_name)]
SecretFile = Annotated[Secret, PlainValidator(_secret_file)]
DkimKeyFile = Annotated[KeyFile, PlainValidator(_dkim_key_file)]
SecretText = Annotated[Secret, PlainValidator(_secret)]
