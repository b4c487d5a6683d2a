"""Who gets an edition, and in which groups: recipients alike in what they prefer and in what they have had before.

What somebody had is found from the few earlier editions that share a story with this one. Each of those, with the part
of it that is shared, is a bit; somebody has at most one delivery of an edition, so the sum of their bits is the set of
what they had. Where nobody prefers anything and nothing is shared, no recipient is looked at for it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    SQLColumnExpression,
    String,
    Text,
    and_,
    cast,
    exists,
    func,
    select,
    text,
)

from newsletter.model.delivery import DeliveryState
from newsletter.model.edition import Draft
from newsletter.model.publication import AlreadySent
from newsletter.model.variant import Group, Readership
from newsletter.store.given import as_given, given
from newsletter.store.mapping import topics_from
from newsletter.store.recipients import recipients_of
from newsletter.store.statements import chunks
from newsletter.store.tables import (
    DeliveryRow,
    EditionItemRow,
    EditionRow,
    ItemRow,
    SubscriberRow,
    SubscriptionRow,
    VariantRow,
)

_REACHES = (
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.SENT,
    DeliveryState.DEFERRED,
    DeliveryState.UNKNOWN,
)
"""States of deliveries that brought their stories to the reader, or may yet."""

_MOST_BITS = 60
"""As many as fit into a column of 64 bits. What is shared with still older editions is taken for not seen."""

_COLUMNS: dict[str, SQLColumnExpression[Any]] = {
    "text_only": SubscriberRow.text_only,
    "language": func.coalesce(SubscriberRow.language, ""),
    "topics": func.coalesce(SubscriptionRow.topics, ""),
}
_OF_PEOPLE = ("text_only", "language")
"""Those of them that are the same on all lists."""

Shared = tuple[tuple[str, frozenset[int]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """The recipients of an edition as statements see them.

    `columns` are what they may differ in (`_COLUMNS`, and `seen`), each only if somebody does; `shared` has the bits of
    `seen` in their order, and `values` what the statements are to be run with.
    """

    query: Select[int, int]
    columns: dict[str, SQLColumnExpression[Any]]
    shared: Shared
    values: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Subscribers with ids above `after`, up to `upto`."""

    after: int
    upto: int

    def has(self, subscriber_id: Any) -> ColumnElement[bool]:
        """Whether a column is in it."""
        return and_(subscriber_id > self.after, subscriber_id <= self.upto)


def crowd_of(connection: Connection, draft: Draft) -> Crowd:
    """The edition's recipients, and how they differ."""
    names = tuple(_differences(connection, draft))
    shared, pairs = shared_with(connection, draft)
    return crowd_like(connection, draft, (*names, *["seen"] * bool(shared)), shared=shared, pairs=as_given(pairs))


def crowd_like(
    connection: Connection,
    draft: Draft,
    names: Collection[str],
    *,
    shared: Shared = (),
    pairs: str = "[]",
    span: Span | None = None,
) -> Crowd:
    """The edition's recipients, of a span if told, who differ in what `names` names."""
    query = recipients_of(draft, people=not set(names).isdisjoint(_OF_PEOPLE))
    if span:
        query = query.where(span.has(SubscriptionRow.subscriber_id))
    columns = {name: column for name, column in _COLUMNS.items() if name in names}
    if "seen" not in names:
        return Crowd(query=query, columns=columns, shared=shared, values={})
    _join_by_sets(connection)
    seen = _seen(connection.dialect.name, {edition_id for edition_id, *_ in json.loads(pairs)}, span)
    query = query.outerjoin(seen, seen.c.subscriber_id == SubscriptionRow.subscriber_id)
    columns["seen"] = func.coalesce(seen.c.bits, 0)
    return Crowd(query=query, columns=columns, shared=shared, values={"pairs": pairs})


def shared_with(connection: Connection, draft: Draft) -> tuple[Shared, list[tuple[str, str, int]]]:
    """What other editions share with this one, if that matters, and (edition, variant, bit) of their forms."""
    return ((), []) if draft.digest.already_sent is AlreadySent.KEEP else _shared(connection, draft)


def readership_of(connection: Connection, crowd: Crowd) -> tuple[Readership, tuple[tuple[Any, ...], ...]]:
    """The groups of a crowd, and beside each its key: the values of the columns they differ in."""
    if not crowd.columns:
        return Readership(), ()
    labelled: list[Any] = [column.label(name) for name, column in crowd.columns.items()]
    grouped = (
        crowd.query.with_only_columns(*labelled, func.count().label("readers"))
        .group_by(*crowd.columns.values())
        .order_by(*crowd.columns.values())
    )
    rows = connection.execute(grouped, crowd.values).all()
    groups = tuple(_group(row._asdict(), crowd.shared) for row in rows)
    return Readership(groups=groups, overlap=crowd.shared), tuple(tuple(row)[:-1] for row in rows)


def joined_by(
    dialect: str, crowd: Crowd, called: str, names: Collection[str], **columns: Any
) -> tuple[Select[int, int], CTE]:
    """The crowd beside a table, bound to the parameter of its name, that has these columns for what readers have in
    those of `names`; null beside whoever it does not have.
    """
    table = given(dialect, called, **{name: _KINDS[name] for name in names}, **columns)
    same = [table.c[name] == crowd.columns[name] for name in names]
    return crowd.query.outerjoin(table, onclause=_all(same)), table


_KINDS: dict[str, Any] = {"text_only": Boolean(), "language": String(35), "topics": Text(), "seen": BigInteger()}


def _all(conditions: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    first, *rest = conditions
    for condition in rest:
        first &= condition
    return first


def _join_by_sets(connection: Connection) -> None:
    """PostgreSQL knows nothing yet of editions frozen a minute ago, takes them for empty, and would add up what readers
    had once for each reader. Until the end of this transaction it joins whole sets.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_nestloop = off")


def _differences(connection: Connection, draft: Draft) -> Iterator[str]:
    """Names of what anybody on the list may differ in, besides what they had. Spelt as the partial indexes are."""
    if connection.scalar(select(exists().where(text("subscribers.text_only")).select_from(SubscriberRow))):
        yield "text_only"
    if any(_foreign(tag, draft.publication.language) for tag in _languages(connection)):
        yield "language"
    chosen = exists().where(SubscriptionRow.list_id == draft.mailing_list.id, SubscriptionRow.topics.is_not(None))
    if connection.scalar(select(chosen)):
        yield "topics"


def _languages(connection: Connection) -> Iterable[str]:
    return connection.scalars(select(SubscriberRow.language).where(SubscriberRow.language.is_not(None)).distinct())


def _foreign(tag: str | None, ours: str) -> bool:
    return bool(tag) and str(tag).split("-", 1)[0].lower() != ours.split("-", 1)[0].lower()


def _shared(connection: Connection, draft: Draft) -> tuple[Shared, list[tuple[str, str, int]]]:
    """What other editions share with this one, newest first, and (edition, variant, bit) for each form of theirs."""
    told = _told_before(connection, draft)
    parts: list[tuple[str, frozenset[int]]] = []
    pairs: list[tuple[str, str, int]] = []
    for edition_id, stories in told.items():
        for variant, left_out in _forms(connection, edition_id):
            part = (edition_id, frozenset(story for story, shown_as in stories if shown_as not in left_out))
            if not part[1]:
                continue
            if part not in parts:
                if len(parts) == _MOST_BITS:
                    return tuple(parts), pairs
                parts.append(part)
            pairs.append((edition_id, variant, 1 << parts.index(part)))
    return tuple(parts), pairs


def _told_before(connection: Connection, draft: Draft) -> dict[str, set[tuple[int, int]]]:
    """(story, the same story as it was shown) of those in this edition that each other edition has, the newest first.

    An item that was shown tells the story it tells now: stories may have been merged or split since.
    """
    found: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    frozen_at = {}
    for some in chunks({piece.story_id for piece in draft.pieces}):
        query = (
            select(ItemRow.story_id, EditionItemRow.story_id.label("shown_as"))
            .add_columns(EditionItemRow.edition_id, EditionRow.frozen_at)
            .join(EditionItemRow, EditionItemRow.item_id == ItemRow.id)
            .join(EditionRow, EditionRow.id == EditionItemRow.edition_id)
            .where(ItemRow.story_id.in_(some), EditionItemRow.edition_id != draft.id)
        )
        for row in connection.execute(query):
            found[row.edition_id].add((row.story_id, row.shown_as))
            frozen_at[row.edition_id] = row.frozen_at
    newest = sorted(found, key=lambda edition_id: (frozen_at[edition_id], edition_id), reverse=True)
    return {edition_id: found[edition_id] for edition_id in newest}


def _forms(connection: Connection, edition_id: str) -> list[tuple[str, set[int]]]:
    """(variant, stories it leaves out) of an edition; the whole one first."""
    query = select(VariantRow.variant, VariantRow.left_out).where(
        VariantRow.edition_id == edition_id, VariantRow.variant != ""
    )
    kept = connection.execute(query.order_by(VariantRow.variant))
    return [("", set()), *((row.variant, set(json.loads(row.left_out))) for row in kept)]


def _seen(dialect: str, editions: Collection[str], span: Span | None) -> FromClause:
    pairs = given(dialect, "pairs", edition_id=String(150), variant=String(40), bit=BigInteger())
    reached = (
        select(DeliveryRow.subscriber_id, cast(func.sum(pairs.c.bit), BigInteger).label("bits"))
        .join(pairs, (pairs.c.edition_id == DeliveryRow.edition_id) & (pairs.c.variant == DeliveryRow.variant))
        .where(DeliveryRow.state.in_(_REACHES))
    )
    if span:
        # Their editions are named once more, so that the index on them and on people is of use.
        reached = reached.where(DeliveryRow.edition_id.in_(editions), span.has(DeliveryRow.subscriber_id))
    return reached.group_by(DeliveryRow.subscriber_id).cte("seen")


def _group(row: dict[str, Any], shared: Shared) -> Group:
    bits = row.get("seen", 0)
    seen = (stories for place, (_, stories) in enumerate(shared) if bits >> place & 1)
    return Group(
        text_only=row.get("text_only", False),
        language=row.get("language") or None,
        topics=topics_from(row.get("topics")),
        seen=frozenset().union(*seen),
        readers=row["readers"],
    )
