"""From what a feed said to an entry: cleaned, dated, labelled, with its picture, safe to store and to mail."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from newsletter.collect.chrome import without_cut_mark
from newsletter.collect.clean import Cleaned, cleaned, from_plain_text, harmless, looks_like_markup, visible
from newsletter.collect.labels import byline, categories, section_line
from newsletter.collect.language import direction_of, language_of
from newsletter.collect.sketch import words
from newsletter.collect.source import RawEntry, SideEntry, Text
from newsletter.collect.urls import absolute, without_tracking
from newsletter.model.feed import Feed
from newsletter.model.item import Entry, Image
from newsletter.model.text import one_line

# Counts as part of every entry's bytes: raised when this file reads the same bytes differently.
READING = "1"
_FIRST_DATE = datetime(1995, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
_LONGEST_GUID = 2000
_LONGEST_DEK = 500
_MOST_DEK_WORDS = 90
_FAR_LONGER = 2
_HEADLINE_FROM_TEXT = 100
_SIZE_IN_NAME = re.compile(r"(?:-\d{2,4}x\d{2,4}|-scaled|-e\d{10,13})?\.\w{2,5}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What entries of one document share: the feed's settings, its own language, where it came from, and the time."""

    feed: Feed
    url: str
    language: str | None
    now: datetime


def entry_from(raw: RawEntry, side: SideEntry | None, around: Surroundings) -> Entry | None:
    """The entry, or None if it has neither headline nor text."""
    link = _link(raw, side, around)
    body, dek = _body_and_dek(raw, link, around)
    headline = one_line(visible(raw.title.value)) or one_line(body.text, limit=_HEADLINE_FROM_TEXT)
    if not headline:
        return None
    told = f"{headline}\n{dek}\n{body.text}"
    labels = [part.language for part in (raw.content, raw.summary, raw.title) if part]
    direction = direction_of(told, around.feed.language)
    about = categories(raw.tags)
    published_at = _believable(raw.published_at or raw.updated_at, around.now)
    return Entry(
        guid=_guid(side.guid if side else raw.guid),
        url=link,
        headline=headline,
        dek=dek,
        byline=byline(raw.authors),
        section_line=section_line(around.feed, about),
        categories=about,
        html=body.html,
        text=body.text,
        image=_image((side.images if side else ()) or raw.images, body.images),
        language=language_of(told, direction, around.feed.language, *labels, around.language),
        direction=direction,
        published_at=published_at,
        updated_at=_believable(raw.updated_at, around.now),
        content_hash=content_hash(headline, dek, body.text),
        source_digest=side.digest if side else "",
    )


def content_hash(headline: str, dek: str, text: str) -> str:
    """Over the words alone: case, punctuation, markup and pictures may change without an item being a changed one."""
    told = "\x1f".join(" ".join(words(part)) for part in (headline, dek, text))
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()


def salt(feed: Feed) -> str:
    """What an entry's reading depends on besides its bytes: an edited feed file makes known entries be read again."""
    return "\x1f".join((READING, feed.kind, *feed.topics, feed.language or "", ""))


def _link(raw: RawEntry, side: SideEntry | None, around: Surroundings) -> str:
    guid = (side.guid if side else raw.guid) or ""
    found = absolute(raw.link, around.url) if raw.link else None
    if found is None and guid.startswith(("http://", "https://")):
        found = absolute(guid, around.url)
    return without_tracking(found) if found else absolute(around.feed.homepage, around.url) or around.url


def _guid(raw: str | None) -> str | None:
    guid = harmless(raw or "").strip()
    if len(guid) > _LONGEST_GUID:
        return "sha256:" + hashlib.sha256(guid.encode()).hexdigest()
    return guid or None


def _body_and_dek(raw: RawEntry, link: str, around: Surroundings) -> tuple[Cleaned, str]:
    """The article and its dek: content and summary, or the other way round where only the summary says much."""
    content, summary = (_cleaned(part, link, around) if part else Cleaned() for part in (raw.content, raw.summary))
    body, other = content, summary
    if len(summary.text) > _FAR_LONGER * len(content.text):
        body, other = summary, content
    leads = (visible(raw.alternative), other.text)
    dek = next((dek for lead in leads if (dek := _dek(lead, body.text))), "")
    return replace(body, images=body.images + other.images), dek


def _cleaned(part: Text, link: str, around: Surroundings) -> Cleaned:
    """Relative links are joined to what the feed says they are relative to, else to the article's own address."""
    if not part.markup and not looks_like_markup(part.value):
        return from_plain_text(part.value)
    explicit = part.base and part.base != around.url
    return cleaned(part.value, absolute(part.base, link) or link if explicit else link)


def _dek(lead: str, text: str) -> str:
    """A summary as one line, or "" if it is the beginning of the text over again, or too long to be one."""
    dek = one_line(without_cut_mark(lead.strip()), limit=_LONGEST_DEK)
    said = words(dek)
    if not said or len(said) > _MOST_DEK_WORDS:
        return ""
    beginnings = (words(paragraph)[: len(said)] for paragraph in [text, *text.split("\n\n")[:4]])
    return "" if said in beginnings else dek


def _believable(at: datetime | None, now: datetime) -> datetime | None:
    return at if at and _FIRST_DATE <= at <= now + _AHEAD else None


def _image(given: tuple[Image, ...], inside: tuple[Image, ...]) -> Image | None:
    """The picture the feed gives, with what the text's own copy of it adds; else the first in the text."""
    if not given:
        return inside[0] if inside else None
    first = given[0]
    copy = next((image for image in inside if _stem(image.url) == _stem(first.url)), None)
    if copy is None:
        return first
    return replace(
        first,
        caption=first.caption or copy.caption,
        credit=first.credit or copy.credit,
        alt=first.alt or copy.alt,
    )


def _stem(url: str) -> str:
    """The name of a picture's file without the size that WordPress adds."""
    return _SIZE_IN_NAME.sub("", urlsplit(url).path.rsplit("/", 1)[-1]).lower()
