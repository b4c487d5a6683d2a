"""What response headers tell a poller: validators, how long the answer stays good, how long to stay away."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from newsletter.model.feed import Validators

_LONGEST_VALIDATOR = 1000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# A server that says "in ten years" means something else; after a week it is asked again.
_LONGEST_WAIT = timedelta(days=7)


def validators_of(headers: Mapping[str, str], *, origin: str | None = None) -> Validators:
    """ETag and Last-Modified exactly as `origin` sent them; None where absent, or where they could not be sent back."""
    etag, last_modified = _echoable(headers.get("ETag")), _echoable(headers.get("Last-Modified"))
    return Validators(etag=etag, last_modified=last_modified, origin=origin)


def _echoable(value: str | None) -> str | None:
    if not value or len(value) > _LONGEST_VALIDATOR or _CONTROL.search(value):
        return None
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return None
    return value


def retry_after(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """How long the server wants to be left alone (RFC 9110 section 10.2.3), at most a week, or None.

    A date is taken relative to the response's own Date, so that neither clock needs to be right.
    """
    value = headers.get("Retry-After", "").strip()
    if (seconds := _seconds(value)) is not None:
        return min(seconds, _LONGEST_WAIT)
    until = _date(value)
    if until is None:
        return None
    wait = until - (_date(headers.get("Date", "")) or now)
    return max(timedelta(0), min(wait, _LONGEST_WAIT))


def lifetime(headers: Mapping[str, str]) -> timedelta | None:
    """How long the answer stays fresh by its server's word (RFC 9111 section 4.2.1), or None if it does not say.

    Times are taken relative to the response's own Date.
    """
    said = {name.strip().lower(): value.strip(' "') for name, _, value in _directives(headers)}
    if {"no-cache", "no-store"} & set(said):
        return None
    if "max-age" in said:
        age = _seconds(headers.get("Age", "").strip()) or timedelta(0)
        fresh = _seconds(said["max-age"])
        return max(fresh - age, timedelta(0)) or None if fresh is not None else None
    if (expires := _date(headers.get("Expires", ""))) is None or (sent := _date(headers.get("Date", ""))) is None:
        return None
    return expires - sent if expires > sent else None


def _directives(headers: Mapping[str, str]) -> list[tuple[str, str, str]]:
    return [part.partition("=") for part in headers.get("Cache-Control", "").split(",")]


def _seconds(digits: str) -> timedelta | None:
    return timedelta(seconds=int(digits[:9])) if digits.isdecimal() and digits.isascii() else None


def _date(value: str) -> datetime | None:
    if not value:
        return None
    try:
        found = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
