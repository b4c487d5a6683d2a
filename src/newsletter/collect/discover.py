"""Find the feed behind a page, and write the file that makes it a feed of the site."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from lxml import etree, html

from newsletter.collect.body import Body, ParsedFeed
from newsletter.collect.http import Fetched, Fetcher
from newsletter.collect.partner import partner_name
from newsletter.collect.urls import absolute
from newsletter.collect.worker import Parser
from newsletter.errors import FetchError, ParseError
from newsletter.model.feed import Feed
from newsletter.model.item import Entry

_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"})
# WordPress first, then RebelMouse, then what static sites and older systems use.
_USUAL_PLACES = ("/feed/", "/feeds/feed.rss", "/rss.xml", "/atom.xml", "/index.xml", "/feed.json", "/rss")
_MOST_CANDIDATES = 6
_LONGEST_NAME = 55
_SYSTEMS = (
    (
        "WordPress",
        re.compile(rb"<generator>\s*https?://wordpress\.(?:org|com)/"),
        "the feed of a section, a tag or an author is at its page's address with feed/ behind it",
    ),
    (
        "RebelMouse",
        re.compile(rb"rebelmouse|\brm-shortcode\b"),
        "the feed of a section is at /feeds/SECTION.rss",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A feed that was found and read. `entries` are its newest first as the feed has them."""

    url: str
    title: str
    """What readers call the partner whose it is."""
    language: str | None
    entries: tuple[Entry, ...]
    system: str = ""
    """The publishing system that made it, where it shows."""
    hint: str = ""
    """What is worth knowing about feeds of that system."""
    homepage: str = ""
    """The page that the feed says it is of."""


async def discover(url: str, *, fetcher: Fetcher, parser: Parser, now: datetime) -> tuple[Candidate, ...]:
    """The feeds behind an address: the address itself, those its page names, else those at the usual places.

    Comment feeds come last. FetchError if the address itself cannot be had.
    """
    url = url.strip() if "://" in url else f"https://{url.strip()}"
    answer = await fetcher.get(url)
    if answer.status >= 400:  # noqa: PLR2004 refusals begin here
        raise FetchError(url, f"its server answered {answer.status}", status=answer.status)
    if found := await _read(answer, parser, now):
        return (found,)
    named = [link for link in feed_links(answer.body, answer.url) if link != answer.url][:_MOST_CANDIDATES]
    tried = [await _tried(link, fetcher, parser, now) for link in named]
    if candidates := _without_other_forms(filter(None, tried)):
        return candidates
    for place in _usual_places(answer.url):
        if found := await _tried(place, fetcher, parser, now):
            return (found,)
    return ()


def _usual_places(page: str) -> tuple[str, ...]:
    """Where a page's feed may be: of the page itself first, since it may be a section's."""
    path = urlsplit(page).path.rstrip("/")
    section = path.rsplit("/", 1)[-1]
    own = (f"{path}/feed/", f"/feeds/{section}.rss") if section else ()
    return tuple(dict.fromkeys(urljoin(page, place) for place in (*own, *_USUAL_PLACES)))


def _without_other_forms(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """The first of those that carry the same pieces: most sites have one feed as RSS, as Atom and as JSON."""
    kept: dict[frozenset[str], Candidate] = {}
    for candidate in candidates:
        kept.setdefault(frozenset(entry.url for entry in candidate.entries), candidate)
    return tuple(kept.values())


async def _tried(url: str, fetcher: Fetcher, parser: Parser, now: datetime) -> Candidate | None:
    try:
        return await _read(await fetcher.get(url), parser, now)
    except FetchError:
        return None


async def _read(answer: Fetched, parser: Parser, now: datetime) -> Candidate | None:
    """The feed in an answer, None if there is none."""
    feed = Feed(id=urlsplit(answer.url).hostname or "feed", url=answer.url, partner="")
    body = Body(feed=feed, content=answer.body, url=answer.url, content_type=answer.content_type)
    try:
        parsed = await parser.parse(body, _nothing_known, now=now)
    except ParseError:
        return None
    return _candidate(answer, parsed)


def _nothing_known(_: Collection[str]) -> frozenset[str]:
    return frozenset()


def _candidate(answer: Fetched, parsed: ParsedFeed) -> Candidate:
    system, hint = next(((name, hint) for name, mark, hint in _SYSTEMS if mark.search(answer.body)), ("", ""))
    homepage = (parsed.homepage and absolute(parsed.homepage, answer.url)) or ""
    entries = tuple(keyed.entry for keyed in parsed.entries)
    languages = [entry.language for entry in entries if entry.language]
    return Candidate(
        url=answer.url,
        title=partner_name(parsed.title, url=answer.url, homepage=homepage, is_wordpress=system == "WordPress"),
        language=max(set(languages), key=languages.count, default=None),
        entries=entries,
        system=system,
        hint=hint,
        homepage=homepage,
    )


def feed_links(page: bytes, base: str) -> tuple[str, ...]:
    """The feeds a page names in its head, in its order but comments last, each once."""
    try:
        root = html.document_fromstring(page)
    except (etree.ParserError, ValueError):
        return ()
    found = dict.fromkeys(_alternates(root, base))
    return tuple(sorted(found, key=lambda url: "comments" in url))


def _alternates(root: html.HtmlElement, base: str) -> Iterator[str]:
    for link in root.iter("link"):
        kind = link.get("type", "").split(";")[0].strip().lower()
        if kind in _TYPES and "alternate" in link.get("rel", "").lower().split():
            url = absolute(link.get("href", ""), base)
            if url:
                yield url


def feed_id(url: str, taken: Collection[str] = ()) -> str:
    """A name for the feed's file, made of its host: `arabcenterdc`, or `arabcenterdc-2` where that is taken."""
    host = (urlsplit(url).hostname or "feed").removeprefix("www.").removeprefix("feeds.").removeprefix("rss.")
    labels = host.split(".")
    wanted = labels[0] if len(labels) < 3 else "-".join(labels[:-1])  # noqa: PLR2004 name.tld has two
    wanted = (
        "".join(char if char.isalnum() or char == "-" else "-" for char in wanted)[:_LONGEST_NAME].strip("-") or "feed"
    )
    return next(name for name in _numbered(wanted) if name not in taken)


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


def feed_toml(found: Candidate, *, topics: tuple[str, ...] = ()) -> str:
    """The text of feeds/NAME.toml for a feed: careful rights, and what an editor may want to change next to it."""
    home = urlsplit(found.url)
    return _FILE.format(
        url=_quoted(found.url),
        partner=_quoted(found.title or home.hostname or ""),
        homepage=_quoted(found.homepage or f"{home.scheme}://{home.netloc}/"),
        topics=", ".join(map(_quoted, topics)),
        language=f"language = {_quoted(found.language)}\n" if found.language else "",
    )


def _quoted(value: str) -> str:
    # A JSON string is a TOML basic string, but for DEL, which `one_line` and `absolute` have removed.
    return json.dumps(value, ensure_ascii=False)


_FILE = """\
url = {url}
partner = {partner}
homepage = {homepage}
{language}kind = ""                # e.g. "Analysis"; with topics it makes the section line "Analysis | Middle East"
topics = [{topics}]              # e.g. ["Middle East"]
poll_every = "1h"
original = true          # false: this partner may republish others
first_poll = 10          # the newest ones are news, what is older than them is not
# full_text = true       # completes items from their own pages; needs the extra newsletter[fulltext]

[rights]
# Until the partner agrees to more: headline, picture and the first lines, with a link.
reuse = "teaser"         # full | excerpt | teaser | none
credit = ""              # e.g. "Republished with permission from {{partner}}."
embargo = "0h"
# expires = "365d"

[filter]
include = []             # words or /regular expressions/ on headline, text, category and author
exclude = []
"""
