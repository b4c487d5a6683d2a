"""From the body of a response to keyed entries: the part of a poll that needs no network and no store.

It runs in a thread for small and well-formed documents, in a process that can be killed for others (`worker.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from newsletter.collect.body import Body, KnownDigests, ParsedFeed
from newsletter.collect.document import document_of, until_break, utf8_of
from newsletter.collect.entry import Surroundings, entry_from, salt
from newsletter.collect.jsonfeed import JsonFeed, is_json, json_feed
from newsletter.collect.keys import keyed
from newsletter.collect.links import announced
from newsletter.collect.parse import parse
from newsletter.collect.sidepass import Scan, scan
from newsletter.collect.source import RawEntry, SideEntry
from newsletter.errors import ParseError
from newsletter.model.identity import KeyedEntry

# libxml2 takes what it accepts in milliseconds. feedparser and the cleaner take half a second for the worst 64 KB that
# could be made, which is what a thread may be lost for; a day's new items of an honest feed are smaller.
SMALL_BODY_BYTES = 2 * 1024 * 1024
SMALL_REST_BYTES = 64 * 1024
# JSON can hold a great many items in few bytes, and Python looks at each.
SMALL_JSON_BYTES = 256 * 1024


def read(body: Body, known: KnownDigests, *, now: datetime) -> ParsedFeed:
    """The document in `body`, without the entries whose digests are `known`. ParseError if it is no feed."""
    if is_json(body.content, body.content_type):
        tree = _json_feed(body)
        return _read_json(tree, body, _seen_json(tree, known), now)
    document = _document(body)
    scanned = _scan(document, body)
    if scanned is not None:
        return _read_rest(scanned, body, _seen(scanned, known), now)
    if (until := until_break(document)) is not None:
        return _read_until_break(*until, body, known, now)
    return _read_whole(document, body, now)


def read_if_small(body: Body, known: KnownDigests, *, now: datetime) -> ParsedFeed | None:
    """The same for a body that cannot cost much: small, well-formed and with little that is new. Else None."""
    if is_json(body.content, body.content_type):
        return _read_json_if_small(body, known, now)
    if len(body.content) > SMALL_BODY_BYTES or (tree := _scan(_document(body), body)) is None:
        return None
    seen = _seen(tree, known)
    if len(body.content) > SMALL_REST_BYTES and len(seen) < len(tree.entries):
        rest = len(tree.without(seen))
        if rest > SMALL_REST_BYTES:
            return None
    return _read_rest(tree, body, seen, now)


def _read_json_if_small(body: Body, known: KnownDigests, now: datetime) -> ParsedFeed | None:
    if len(body.content) > SMALL_JSON_BYTES:
        return None
    tree = _json_feed(body)
    seen = _seen_json(tree, known)
    rest = sum(size for (_, side), size in zip(tree.entries, tree.sizes, strict=True) if side.digest not in seen)
    return _read_json(tree, body, seen, now) if rest <= SMALL_REST_BYTES else None


def _json_feed(body: Body) -> JsonFeed:
    feed = body.feed
    document = utf8_of(body.content, content_type=body.content_type, encoding=feed.encoding)
    return json_feed(document, feed=feed.id, base=body.url, salt=salt(feed))


def _seen_json(tree: JsonFeed, known: KnownDigests) -> frozenset[str]:
    return known({side.digest for _, side in tree.entries}) if tree.entries else frozenset()


def _read_json(tree: JsonFeed, body: Body, seen: frozenset[str], now: datetime) -> ParsedFeed:
    left = [(raw, side) for raw, side in tree.entries if side.digest not in seen]
    around = Surroundings(feed=body.feed, url=body.url, language=tree.language, now=now)
    return ParsedFeed(
        entries=_entries(left, around),
        known=len(tree.entries) - len(left),
        title=tree.title,
        homepage=tree.homepage,
        hub=announced(body.link, tree.links, url=body.url),
        listed=tuple(side.digest for _, side in tree.entries),
    )


def _document(body: Body) -> bytes:
    feed = body.feed
    return document_of(body.content, feed=feed.id, content_type=body.content_type, encoding=feed.encoding)


def _scan(document: bytes, body: Body) -> Scan | None:
    return scan(document, base=body.url, salt=salt(body.feed))


def _seen(tree: Scan, known: KnownDigests) -> frozenset[str]:
    return known({entry.digest for entry in tree.entries}) if tree.entries else frozenset()


def _read_rest(tree: Scan, body: Body, seen: frozenset[str], now: datetime) -> ParsedFeed:
    left = tuple(entry for entry in tree.entries if entry.digest not in seen)
    cut = len(tree.entries) - len(left)
    listed = tuple(entry.digest for entry in tree.entries)
    hints = ParsedFeed(
        known=cut,
        skip_hours=tree.skip_hours,
        skip_days=tree.skip_days,
        lasts=tree.lasts,
        hub=announced(body.link, tree.links, url=body.url),
        listed=listed,
    )
    if cut and not left:
        return hints
    found = parse(tree.without(seen), base=body.url)
    _refuse_other_xml(found.version, found.entries, body)
    # Where the two readers count differently nothing can be said about which is which.
    agree = len(left) == len(found.entries)
    sides: Iterable[SideEntry | None] = left if agree else [None] * len(found.entries)
    around = Surroundings(feed=body.feed, url=body.url, language=found.language, now=now)
    entries = _entries(zip(found.entries, sides, strict=True), around)
    listed = listed if agree else ()
    return replace(hints, entries=entries, title=found.title, homepage=found.homepage, listed=listed)


def _read_whole(document: bytes, body: Body, now: datetime) -> ParsedFeed:
    found = parse(document, base=body.url)
    _refuse_other_xml(found.version, found.entries, body)
    around = Surroundings(feed=body.feed, url=body.url, language=found.language, now=now)
    entries = _entries(((raw, None) for raw in found.entries), around)
    hub = announced(body.link, (), url=body.url)
    return ParsedFeed(entries=entries, title=found.title, homepage=found.homepage, hub=hub)


def _read_until_break(document: bytes, whole: int, body: Body, known: KnownDigests, now: datetime) -> ParsedFeed:
    """A document with so many whole entries and half of one, which is left for another time."""
    if whole == 0:
        raise ParseError(body.feed.id, "the document breaks off before the end of its first item")
    scanned = _scan(document, body)
    if scanned is None:
        return replace(_read_whole(document, body, now), cut_after=whole)
    # What is not listed may have come after the break.
    return replace(_read_rest(scanned, body, _seen(scanned, known), now), cut_after=whole, listed=())


def _entries(pairs: Iterable[tuple[RawEntry, SideEntry | None]], around: Surroundings) -> tuple[KeyedEntry, ...]:
    made = (entry_from(raw, side, around) for raw, side in pairs)
    return tuple(keyed(entry, around.feed) for entry in made if entry is not None)


def _refuse_other_xml(version: str, entries: tuple[RawEntry, ...], body: Body) -> None:
    if not version and not entries:
        raise ParseError(body.feed.id, "the XML is neither RSS nor Atom")
