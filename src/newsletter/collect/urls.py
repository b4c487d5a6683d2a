"""Addresses of pages: made absolute and harmless for mail, and reduced to what names a piece."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

import idna
from url_normalize import url_normalize

LONGEST_URL = 2000
# RFC 1035 section 2.3.4, without the dot at its end: longer is no host, and no key of the store's.
_LONGEST_HOST = 253
_SAFE = "%/:?#[]@!$&'()*+,;=~-._"
_LINE_BREAKS = re.compile(r"[\t\r\n]")
_TRACKING = re.compile(
    r"^(utm_\w+|at_\w+|ns_\w+|pk_\w+|mtm_\w+|hsa_\w+|_hs\w+|mc_[ce]id|wt[._]\w+|[dgy]clid|gbraid|wbraid|fbclid|msclkid"
    r"|twclid|igshid|yclid|mkt_tok|vero_id|traffic_source|smid|smtyp|emc|ocid|ito|xtor|cmp|cmpid|icid|ncid|guccounter"
    r"|ref_src|spm|oly_\w+|__twitter_impression)$",
    re.IGNORECASE,
)
# ?partner=rss, ?source=feed: whatever the parameter is called, it tells where the reader came from.
_FROM_FEED = frozenset({"rss", "rss2", "rss20", "feed", "atom", "rdf"})


def absolute(url: str, base: str) -> str | None:
    """`url` joined to `base` as a plain http or https URL, or None if it cannot be one.

    Line breaks are gone, all but printable ASCII is encoded, and a user name before the host, which makes a link look
    like another, is left out.
    """
    try:
        parts = urlsplit(urljoin(base, _LINE_BREAKS.sub("", url).strip()))
        host = _ascii_host(parts.hostname or "")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host:
        return None
    path, query, fragment = (
        quote(part, safe=_SAFE, errors="replace") for part in (parts.path, parts.query, parts.fragment)
    )
    found = urlunsplit((parts.scheme, host + port, path, query, fragment))
    return found if len(found) <= LONGEST_URL else None


def without_tracking(url: str) -> str:
    """`url`, else as given, without parameters and a fragment that only tell where a reader came from."""
    parts = urlsplit(url)
    kept = "&".join(pair for pair in parts.query.split("&") if not _all_track(pair))
    fragment = "" if _all_track(parts.fragment) else parts.fragment
    return urlunsplit(parts._replace(query=kept, fragment=fragment))


def _all_track(query: str) -> bool:
    pairs = parse_qsl(query)
    return bool(pairs) and all(_tracks(*pair) for pair in pairs)


def _ascii_host(host: str) -> str:
    """The host in ASCII, an IPv6 address in brackets; ValueError (idna's error is one) if it is no host at all."""
    if len(host) > _LONGEST_HOST:
        raise ValueError("no host has so long a name")
    if ":" in host:
        return f"[{host}]"
    if host.isascii():
        if not re.fullmatch(r"[a-z0-9._-]*", host):
            raise ValueError("a host has letters, digits, dots and hyphens")
        return host
    return idna.encode(host, uts46=True).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A URL as identity sees it: no scheme, `www.`, fragment, tracking parameters or trailing slash."""

    host: str
    path: str
    query: str

    @property
    def link(self) -> str:
        """Host, path and query in one."""
        return self.host + self.local

    @property
    def local(self) -> str:
        """What is left after the site has moved to another host."""
        return self.path + (f"?{self.query}" if self.query else "")

    @property
    def names_a_piece(self) -> bool:
        """Whether this looks like one article's address rather than a home or section page."""
        last = self.path.rsplit("/", 1)[-1]
        return bool(self.query) or any(char.isdigit() for char in last) or last.count("-") >= 2  # noqa: PLR2004 a slug


@lru_cache(maxsize=2000)
def address_of(url: str) -> Address | None:
    """The reduced address of an http(s) URL, None where there is none."""
    try:
        parts = urlsplit(url_normalize(url) or "")
        host = (parts.hostname or "").removeprefix("www.")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host:
        return None
    kept = sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _tracks(*pair))
    return Address(host=host + port, path=parts.path.rstrip("/"), query=urlencode(kept))


def _tracks(name: str, value: str) -> bool:
    return bool(_TRACKING.match(name)) or value.lower() in _FROM_FEED
