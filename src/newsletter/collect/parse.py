"""The one door to feedparser: bytes in, our values out.

feedparser never fetches (it gets a stream), never sanitises and never rewrites links within texts; all of that is done
later, for new and changed entries only.
"""

from __future__ import annotations

import io
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import feedparser

from newsletter.collect.credits import caption_and_credit
from newsletter.collect.source import RawEntry, RawFeed, Text
from newsletter.collect.urls import absolute
from newsletter.model.item import Image

_HEADERS = {"content-type": "application/xml; charset=utf-8"}


def parse(document: bytes, *, base: str) -> RawFeed:
    """Everything feedparser finds in a UTF-8 document. `base` is the address it came from."""
    found = feedparser.parse(
        io.BytesIO(document),
        response_headers={**_HEADERS, "content-location": base},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    channel = found.feed
    return RawFeed(
        version=found.version or "",
        title=_str(channel, "title"),
        homepage=_str(channel, "link"),
        language=_str(channel, "language") or None,
        entries=tuple(_entry(entry, base) for entry in found.entries),
    )


def _entry(entry: Any, base: str) -> RawEntry:
    contents = [_text(part) for part in entry.get("content", ()) if part.get("value")]
    # A caption of Media RSS that came before the text is filed as plain content.
    if "media_content" in entry and any(part.markup for part in contents):
        contents = [part for part in contents if part.markup]
    return RawEntry(
        guid=_str(entry, "id") or None,
        link=_str(entry, "feedburner_origlink") or _str(entry, "link"),
        title=_text(entry.get("title_detail") or {"value": ""}),
        summary=_text(entry["summary_detail"]) if _str(entry, "summary") and "summary_detail" in entry else None,
        content=max(contents, key=lambda part: len(part.value), default=None),
        alternative=_str(entry, "dcterms_alternative") or _str(entry, "subtitle"),
        authors=tuple(_authors(entry)),
        tags=tuple((_str(tag, "term"), _str(tag, "scheme")) for tag in entry.get("tags", ())),
        published_at=_instant(entry, "published_parsed") or _instant(entry, "created_parsed"),
        updated_at=_instant(entry, "updated_parsed"),
        images=tuple(_images(entry, base)),
    )


def _str(source: Any, name: str) -> str:
    # dict.get, since feedparser's own answers for "updated" with "published" and a warning.
    value = dict.get(source, name)
    return value.strip() if isinstance(value, str) else ""


def _text(detail: Any) -> Text:
    return Text(
        value=_str(detail, "value"),
        markup=detail.get("type", "text/html") != "text/plain",
        base=_str(detail, "base"),
        language=_str(detail, "language") or None,
    )


def _authors(entry: Any) -> Iterator[str]:
    named = [_str(author, "name") for author in entry.get("authors", ()) if author]
    yield from filter(None, named or [_str(entry, "author")])


def _instant(entry: Any, name: str) -> datetime | None:
    parsed = dict.get(entry, name)
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError, OSError):
        return None


def _images(entry: Any, base: str) -> Iterator[Image]:
    """Pictures, for documents that only feedparser can read; a credit is believed where there is one of each."""
    media = [part for part in entry.get("media_content", ()) if _is_picture(part)]
    signed = [_str(credit, "content") for credit in entry.get("media_credit", ())]
    credit = signed[0] if len(signed) == 1 and len(media) == 1 else ""
    others = [*entry.get("media_thumbnail", ()), *(each for each in entry.get("enclosures", ()) if _is_picture(each))]
    for part in (*media, *others):
        url = absolute(_str(part, "url") or _str(part, "href"), base)
        if url:
            yield Image(url=url, credit=caption_and_credit("", credit)[1])


def _is_picture(part: Any) -> bool:
    return _str(part, "medium") == "image" or _str(part, "type").startswith("image/")
