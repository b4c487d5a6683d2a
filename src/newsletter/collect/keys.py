"""The names an entry goes by, strong ones first."""

from __future__ import annotations

import hashlib
import re

from newsletter.collect.sketch import sketch, words
from newsletter.collect.urls import address_of
from newsletter.model.feed import Feed
from newsletter.model.identity import KeyedEntry
from newsletter.model.item import Entry, Key, KeyKind

_LONGEST_VALUE = 200
# "Live" and "Morning briefing" are no headlines to recognise a piece by.
_FEWEST_TITLE_WORDS = 3
_POST_ID = re.compile(r"[?&](?:p|page_id|post)=(\d{1,20})\b")


def keyed(entry: Entry, feed: Feed) -> KeyedEntry:
    """The entry together with its keys."""
    return KeyedEntry(entry=entry, keys=keys_of(entry, feed))


def keys_of(entry: Entry, feed: Feed) -> tuple[Key, ...]:
    """Every key of the entry, each once, strong ones first.

    Strong: guid, guid without scheme and host, WordPress post id, and the canonical link, all within the feed.
    Weak, across feeds: canonical link, link path, title and day, and the sketch of the text.
    """
    found = (*_guid_keys(entry.guid, feed.id), *_link_keys(entry.url, feed.id), *_text_keys(entry))
    return tuple(dict.fromkeys(sorted(found, key=lambda key: not key.strong)))


def _guid_keys(guid: str | None, scope: str) -> tuple[Key, ...]:
    if not guid:
        return ()
    found = [_key(KeyKind.GUID, scope, guid, strong=True)]
    if post := _POST_ID.search(guid):
        found.append(_key(KeyKind.POST_ID, scope, post[1], strong=True))
    address = address_of(guid) if guid.startswith(("http://", "https://")) else None
    if address and address.names_a_piece:
        found.append(_key(KeyKind.BARE_GUID, scope, address.local, strong=True))
    return tuple(found)


def _link_keys(url: str, scope: str) -> tuple[Key, ...]:
    address = address_of(url)
    if address is None or not address.names_a_piece:
        return ()
    return (
        _key(KeyKind.LINK, scope, address.link, strong=True),
        _key(KeyKind.LINK, "", address.link, strong=False),
        _key(KeyKind.LINK_PATH, "", address.local, strong=False),
    )


def _text_keys(entry: Entry) -> tuple[Key, ...]:
    found = [_key(KeyKind.SKETCH, "", value, strong=False) for value in sketch(entry.text)]
    title = words(entry.headline)
    if entry.published_at and len(title) >= _FEWEST_TITLE_WORDS:
        day = entry.published_at.date().isoformat()
        found.insert(0, _key(KeyKind.TITLE_DAY, "", f"{day} {' '.join(title)}", strong=False))
    return tuple(found)


def _key(kind: KeyKind, scope: str, value: str, *, strong: bool) -> Key:
    if len(value) > _LONGEST_VALUE:
        value = "sha256:" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return Key(kind, scope, value, strong)
