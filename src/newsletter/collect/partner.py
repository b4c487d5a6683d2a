"""What readers call a partner, made from the title of its feed: "The Courier", not "The Courier » Feed of all news".

A title is cut only where something says which part of it is the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from newsletter.model.text import one_line, spelled

_LONGEST = 120
# WordPress joins a name and a tagline, also where there is none: "The Courier -".
_LOOSE = " -–—|»:·"
_JOINT = re.compile(r"\s+[-–—|»>·]\s+|:\s+")
# Behind these stands a part of what stands before them.
_DOWN = re.compile(r"\s+[»>]\s+")
_THE_FEED = re.compile(
    r"(?:(?:rss|atom|news|main|full|all)\W*)*(?:rss|atom|feeds?)(?:\s*[\d.]+)?(?:\s+(?:of|for|from)\b.*)?"
    r"|(?:latest|recent|all|new)\s+(?:posts|articles|stories|news|content|items)",
    re.IGNORECASE,
)
_RSS_BEHIND = re.compile(r"(?:['’]s)?\s+(?:RSS|Atom)(?:\s+(?:news\s+)?feed)?$", re.IGNORECASE)
_SHORTEST_LABEL = 3
_FRONT_FEEDS = frozenset({"", "/feed", "/feed/rss", "/feed/rss2", "/feed/atom"})
_FEWEST_TAGLINE_WORDS = 4


def partner_name(title: str, *, url: str, homepage: str = "", is_wordpress: bool = False) -> str:
    """The name in a title of the feed at `url`: of its parts the one that its host has too, else what is left."""
    whole = _RSS_BEHIND.sub("", one_line(title, limit=_LONGEST).strip(_LOOSE)).rstrip(_LOOSE)
    parts = [part.strip(_LOOSE) for part in _JOINT.split(whole)]
    named = {part for part in parts if _is_in_host(part, (url, homepage))}
    if len(named) == 1:
        return named.pop()
    first = parts[0]
    if len(parts) == 1 or _THE_FEED.fullmatch(first):
        return whole
    if all(_THE_FEED.fullmatch(part) for part in parts[1:]):
        return first
    if _DOWN.search(whole):
        return _DOWN.split(whole)[0]
    return first if is_wordpress and _is_tagline(whole, first, url) else whole


def _is_in_host(part: str, urls: Iterable[str]) -> bool:
    """Whether a host's name has a label that is spelled like this, with an article or without."""
    name = spelled(part)
    labels = {label for url in urls for label in (urlsplit(url).hostname or "").replace("-", "").split(".")[:-1]}
    return len(name) >= _SHORTEST_LABEL and bool(labels & {name, name.removeprefix("the")})


def _is_tagline(whole: str, first: str, url: str) -> bool:
    """Whether what follows the first part describes the site: the feed of a section has the site's name behind it."""
    place = urlsplit(url)
    is_front = place.path.rstrip("/") in _FRONT_FEEDS
    return is_front and len(whole.removeprefix(first).split()) > _FEWEST_TAGLINE_WORDS
