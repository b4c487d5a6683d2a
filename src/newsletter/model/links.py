"""Addresses of pages that may stand in a mail or a feed."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

_SCHEMES = {"http", "https"}
_BLANKS = re.compile(r"[\x00-\x20\x7f-\xa0]")
# Everything RFC 3986 allows in some place, and the percent sign of what is encoded already.
_KEPT = ";/?:@&=+$,#[]!'()*~%-._"
_LONGEST = 2000


def safe_url(url: str) -> str:
    r"""`url` as ASCII if it is an absolute web address, else the empty string.

    Browsers ignore blanks and controls inside a scheme (`java\nscript:`), so an address that has any is none.
    """
    url = url.strip()
    if _BLANKS.search(url) or len(url) > _LONGEST:
        return ""
    try:
        parts = urlsplit(url)
        known = parts.scheme.lower() in _SCHEMES and bool(parts.hostname)
        return quote(url, safe=_KEPT) if known else ""
    except (ValueError, UnicodeEncodeError):
        return ""
