"""Rows into values and back: what leaves this room is a value."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from newsletter.model.item import Entry, Image, Item
from newsletter.model.subscriber import Consent, Subscriber, Subscription

NO_FIELDS = "[]"
_spell = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would make an encoder for each person of a file
_LONGEST_LANGUAGE = 35


def storable(text: str) -> str:
    """`text` without what a database cannot keep: NUL on PostgreSQL, lone surrogates on both."""
    if text.isascii():
        return text.replace("\0", "")
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def item_from(row: Row[Any]) -> Item:
    return Item(
        id=row.id,
        feed_id=row.feed_id,
        story_id=row.story_id,
        state=row.state,
        entry=_entry_from(row),
        first_seen_at=row.first_seen_at,
        changed_at=row.changed_at,
        because=row.because,
    )


def _entry_from(row: Row[Any]) -> Entry:
    return Entry(
        guid=row.guid,
        url=row.url,
        headline=row.headline,
        dek=row.dek,
        byline=row.byline,
        section_line=row.section_line,
        categories=tuple(json.loads(row.categories)),
        html=row.html,
        text=row.text,
        image=Image(**json.loads(row.image)) if row.image else None,
        language=row.language,
        direction=row.direction,
        published_at=row.published_at,
        updated_at=row.updated_at,
        content_hash=row.content_hash,
        source_digest=row.source_digest,
    )


def entry_values(entry: Entry) -> dict[str, Any]:
    """The columns of an item's row that its entry decides."""
    return _storable(
        {
            "guid": entry.guid,
            "url": entry.url,
            "headline": entry.headline,
            "dek": entry.dek,
            "byline": entry.byline,
            "section_line": entry.section_line,
            "categories": json.dumps(entry.categories),
            "html": entry.html,
            "text": entry.text,
            "image": json.dumps(asdict(entry.image)) if entry.image else None,
            "language": language_tag(entry.language),
            "direction": entry.direction,
            "published_at": entry.published_at,
            "updated_at": entry.updated_at,
            "content_hash": entry.content_hash,
            "source_digest": entry.source_digest,
        }
    )


def language_tag(text: str | None) -> str | None:
    """A language as its column keeps it: a longer tag than BCP 47 recommends to expect (section 4.4.1) is nobody's."""
    return text if text and len(text) <= _LONGEST_LANGUAGE else None


def subscriber_from(row: Row[Any]) -> Subscriber:
    return Subscriber(
        id=row.id,
        address=row.address or "",
        name=row.name,
        language=row.language,
        fields=fields_from(row.fields),
        created_at=row.created_at,
        text_only=row.text_only,
        tracking=row.tracking,
    )


def fields_from(text: str) -> tuple[tuple[str, str], ...]:
    """A person's free fields from their column."""
    return tuple((name, value) for name, value in json.loads(text)) if text != NO_FIELDS else ()


def fields_text(fields: tuple[tuple[str, str], ...]) -> str:
    """A person's free fields as their column keeps them: pairs, because names may repeat and have an order."""
    return _spell([[storable(name), storable(value)] for name, value in fields]) if fields else NO_FIELDS


def subscription_from(row: Row[Any]) -> Subscription:
    return Subscription(
        id=row.id,
        subscriber_id=row.subscriber_id,
        list_id=row.list_id,
        state=row.state,
        since_at=row.since_at,
        weekly=row.weekly,
        topics=topics_from(row.topics),
    )


def topics_from(text: str | None) -> tuple[str, ...]:
    """Chosen topics from their column; none for all."""
    return tuple(json.loads(text)) if text else ()


def topics_text(topics: Iterable[str]) -> str | None:
    """Chosen topics as their column keeps them: the same choice is the same text, in whatever order it was made."""
    chosen = sorted({storable(topic) for topic in topics})
    return json.dumps(chosen, ensure_ascii=False) if chosen else None


def consent_from(row: Row[Any]) -> Consent:
    return Consent(
        subscription_id=row.subscription_id,
        list_id=row.list_id,
        before=row.before,
        after=row.after,
        at=row.at,
        source=row.source,
        text=row.wording_text or "",
        version=row.wording or "",
        token=row.token or "",
        remark=row.text,
    )


def _storable(values: dict[str, Any]) -> dict[str, Any]:
    return {name: storable(value) if type(value) is str else value for name, value in values.items()}
