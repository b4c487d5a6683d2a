"""JSON Feed 1.0 and 1.1 (jsonfeed.org): the same entries as those of an XML document, so that all the rest is shared.

Numbers stay the digits they were, since an id may be one and none is worth a computation. What is of a wrong type
counts as absent: one careless field must not cost an item.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from newsletter.collect.source import RawEntry, SideEntry, Text
from newsletter.collect.urls import absolute
from newsletter.errors import ParseError
from newsletter.model.item import Image
from newsletter.model.text import one_line

_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/")
_SURROGATES = re.compile("[\ud800-\udfff]")
_MARKS = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"
_LONGEST_DATE = 60
_Object = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonFeed:
    """A document. `entries` have no texts cleaned yet; `sizes` say how long each is as JSON."""

    title: str
    homepage: str
    language: str | None
    entries: tuple[tuple[RawEntry, SideEntry], ...]
    sizes: tuple[int, ...]
    links: tuple[tuple[str, str], ...]
    """Its hubs and itself, as in the side pass."""


def is_json(body: bytes, content_type: str) -> bool:
    """Whether a body is meant as JSON: it begins like it, or is called so and does not begin like XML."""
    first = body[:256].lstrip(_MARKS)[:1]
    return first in {b"{", b"["} or ("json" in content_type.lower() and first not in {b"<", b""})


def json_feed(document: bytes, *, feed: str, base: str, salt: str) -> JsonFeed:
    """Read a document in UTF-8. ParseError names what is wrong with it.

    `salt` goes into every digest, as in the side pass; members that begin with "_" are extensions, and do not.
    """
    try:
        found = json.loads(document, strict=False, parse_int=str, parse_float=str, parse_constant=str)
        return _feed(found, feed=feed, base=base, salt=salt)
    except RecursionError as exc:
        raise ParseError(feed, "the JSON is nested too deeply") from exc
    except json.JSONDecodeError as exc:
        raise ParseError(feed, f"the JSON is broken in line {exc.lineno}, column {exc.colno}: {exc.msg}") from exc


def _feed(found: object, *, feed: str, base: str, salt: str) -> JsonFeed:
    if not isinstance(found, dict) or not _VERSION.match(_str(found, "version")):
        raise ParseError(feed, "the JSON is no JSON Feed: it has no version of jsonfeed.org")
    items = found.get("items")
    if not isinstance(items, list):
        raise ParseError(feed, "the JSON Feed has no list of items")
    by_default = _authors(found)
    read = [_entry(item, base=base, salt=salt, by_default=by_default) for item in items if _says_something(item)]
    return JsonFeed(
        title=one_line(_str(found, "title")),
        homepage=_str(found, "home_page_url"),
        language=_str(found, "language") or None,
        entries=tuple((raw, side) for raw, side, _ in read),
        sizes=tuple(size for *_, size in read),
        links=tuple(_links(found, base)),
    )


def _links(found: _Object, base: str) -> Iterator[tuple[str, str]]:
    hubs = found.get("hubs")
    given = [one for one in hubs if isinstance(one, dict)] if isinstance(hubs, list) else []
    for rel, address in (*(("hub", _str(one, "url")) for one in given), ("self", _str(found, "feed_url"))):
        if address and (url := absolute(address, base)):
            yield rel, url


def _says_something(item: object) -> bool:
    return isinstance(item, dict) and any(
        _str(item, name) for name in ("title", "summary", "content_html", "content_text")
    )


def _entry(item: _Object, *, base: str, salt: str, by_default: tuple[str, ...]) -> tuple[RawEntry, SideEntry, int]:
    source = json.dumps({name: value for name, value in item.items() if not name.startswith("_")}, sort_keys=True)
    # An author or a language that the whole feed is given changes every entry.
    told = "\x1f".join((salt, *by_default, source)).encode("utf-8", "surrogatepass")
    guid = _str(item, "id") or None
    language = _str(item, "language") or None
    content = next((name for name in ("content_html", "content_text") if _str(item, name)), None)
    raw = RawEntry(
        guid=guid,
        link=_str(item, "url") or _str(item, "external_url"),
        title=Text(value=_str(item, "title"), markup=False, language=language),
        summary=_text(item, "summary", language),
        content=_text(item, content, language) if content else None,
        authors=_authors(item) or by_default,
        tags=tuple((tag, "") for tag in _texts(item.get("tags"))),
        published_at=_instant(_str(item, "date_published")[:_LONGEST_DATE]),
        updated_at=_instant(_str(item, "date_modified")[:_LONGEST_DATE]),
        images=tuple(_images(item, base)),
    )
    return raw, SideEntry(digest=hashlib.sha256(told).hexdigest(), guid=guid), len(source)


def _str(source: _Object, name: str) -> str:
    """A text, or "". Half a character by itself is legal JSON, and no text."""
    value = source.get(name)
    return _SURROGATES.sub("", value).strip() if isinstance(value, str) else ""


def _texts(values: object) -> list[str]:
    return (
        [_SURROGATES.sub("", value) for value in values if isinstance(value, str)] if isinstance(values, list) else []
    )


def _text(item: _Object, name: str, language: str | None) -> Text | None:
    value = _str(item, name)
    return Text(value=value, markup=name == "content_html", language=language) if value else None


def _authors(source: _Object) -> tuple[str, ...]:
    """Names of `authors`, or of version 1.0's one `author`."""
    given = source.get("authors")
    authors = given if isinstance(given, list) else [source.get("author")]
    named = (_str(author, "name") for author in authors if isinstance(author, dict))
    return tuple(filter(None, named))


def _instant(text: str) -> datetime | None:
    """RFC 3339 as the format wants it, or the date of mails; without a zone it is taken for UTC."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _images(item: _Object, base: str) -> Iterator[Image]:
    """The item's pictures: its own, the banner, and what is attached."""
    attached = item.get("attachments")
    attachments = [one for one in attached if isinstance(one, dict)] if isinstance(attached, list) else []
    pictures = (_str(one, "url") for one in attachments if _str(one, "mime_type").lower().startswith("image/"))
    for address in (_str(item, "image"), _str(item, "banner_image"), *pictures):
        url = absolute(address, base) if address else None
        if url:
            yield Image(url=url)
