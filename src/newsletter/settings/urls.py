"""Rules for the URLs in settings: of web pages, relays and databases."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import ValidationInfo

from newsletter.model.settings import Secret, Tls
from newsletter.settings.faults import refuse
from newsletter.settings.surroundings import around

_RELAY_SCHEMES = {
    "smtp": (Tls.NONE, 25),
    "smtps": (Tls.IMPLICIT, 465),
    "smtp+starttls": (Tls.STARTTLS, 587),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayUrl:
    """What the URL of a relay says."""

    tls: Tls
    host: str
    port: int
    username: str | None
    password: Secret | None = field(repr=False)


def web_address(text: str) -> str:
    """The URL of a page or a feed, as given."""
    parts = _split(text)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise refuse("expected an address that begins with https:// or http://")
    if parts.username is not None:
        raise refuse("expected no user name or password in the address")
    return text


def base_url(text: str) -> str:
    """The URL under which our own pages are, without a slash at its end."""
    parts = urlsplit(web_address(text))
    if parts.query or parts.fragment:
        raise refuse("expected an address without ? and #")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        # RFC 8058 section 3.1: mail programs offer one-click unsubscription over https alone.
        raise refuse("expected https://, without it nobody can leave with one click; http:// is for loopback only")
    return text.rstrip("/")


def relay_url(text: object) -> RelayUrl:
    """Where a relay is: smtp://, smtps:// or smtp+starttls://, with user:password@ and :port where needed."""
    parts = _split(text) if isinstance(text, str) else None
    known = _RELAY_SCHEMES.get(parts.scheme) if parts else None
    if parts is None or known is None or not parts.hostname or parts.path.strip("/") or parts.query:
        raise refuse("expected smtp://, smtps:// or smtp+starttls:// with a host, then a port if need be")
    tls, port = known
    return RelayUrl(
        tls=tls,
        host=parts.hostname,
        port=parts.port or port,
        username=unquote(parts.username) if parts.username else None,
        password=Secret(unquote(parts.password)) if parts.password else None,
    )


def store_url(text: object, info: ValidationInfo) -> Secret:
    """Where the database is. The path of an SQLite file is relative to the site's folder and becomes absolute."""
    parts = _split(text) if isinstance(text, str) else None
    if parts is not None and parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        return Secret(f"sqlite:///{around(info).folder / unquote(parts.path[1:])}")
    if parts is not None and parts.scheme == "postgresql" and isinstance(text, str):
        return Secret(text)
    raise refuse("expected sqlite:///path/of/file.db or postgresql://user@host/database")


def _split(text: str) -> SplitResult | None:
    if not text.isprintable() or " " in text:
        return None
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  raises for a port that is no number
    except ValueError:
        return None
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
