"""A segment as a condition of SQL: built from its parts, values always bound, never from its text."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, not_, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean

from newsletter.model.segment import FIELD, Every, Is, Never, Not, Segment, Some, When
from newsletter.model.subscriber import address_key
from newsletter.store.mapping import fields_text, storable
from newsletter.store.personal import got_any
from newsletter.store.tables import SubscriberRow, SubscriptionRow


def in_segment(segment: Segment, *, now: datetime) -> ColumnElement[bool]:
    """Whether a subscription, joined with its subscriber, belongs to a segment."""
    match segment:
        case Is(about=about, texts=texts):
            return or_(*(_is(about, storable(text)) for text in texts))
        case When():
            return _when(segment, segment.instant(now))
        case Never():
            return not_(got_any())
        case Not(part=part):
            return not_(in_segment(part, now=now))
        case Every(parts=parts) | Some(parts=parts):
            joined = and_ if isinstance(segment, Every) else or_
            return joined(*(in_segment(part, now=now) for part in parts))


def _when(test: When, at: datetime) -> ColumnElement[bool]:
    if test.about == "joined":
        return SubscriptionRow.since_at >= at if test.after else SubscriptionRow.since_at < at
    since = got_any(since=at)
    return since if test.after else and_(not_(since), got_any())


def _is(about: str, text: str) -> ColumnElement[bool]:
    if about == "language":
        tag = func.lower(func.coalesce(SubscriberRow.language, ""))
        return or_(tag == text.lower(), tag.startswith(text.lower() + "-", autoescape=True))
    if about == "domain":
        domain = address_key(f"x@{text}").removeprefix("x")
        return func.coalesce(SubscriberRow.address_key, "").endswith(domain, autoescape=True)
    if about == "format":
        return SubscriberRow.text_only.is_(text == "text")
    if about == "rhythm":
        return SubscriptionRow.weekly.is_(text == "weekly")
    if about == "topic":
        # Quotes stand in the column only where a topic begins or ends: those inside one are escaped.
        return _Has(func.coalesce(SubscriptionRow.topics, ""), json.dumps(text, ensure_ascii=False))
    return _field(about.removeprefix(FIELD), text)


def _field(name: str, text: str) -> ColumnElement[bool]:
    """The pair stands in the column as it was written; a field that is not there is as good as an empty one."""
    pair = _Has(SubscriberRow.fields, fields_text(((name, text),))[1:-1])
    if text:
        return pair
    return or_(pair, not_(_Has(SubscriberRow.fields, fields_text(((name, ""),))[1:-3])))


class _Has(FunctionElement[bool]):
    """Whether a text has another in it, letter by letter: LIKE is not the same on both databases."""

    type = Boolean()
    inherit_cache = True


@compiles(_Has, "sqlite")
def _has_sqlite(element: _Has, compiler: object, **options: object) -> str:
    return f"(instr({compiler.process(element.clauses, **options)}) > 0)"  # type: ignore[attr-defined]


@compiles(_Has, "postgresql")
def _has_postgresql(element: _Has, compiler: object, **options: object) -> str:
    return f"(strpos({compiler.process(element.clauses, **options)}) > 0)"  # type: ignore[attr-defined]
