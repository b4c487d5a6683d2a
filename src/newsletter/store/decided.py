"""Writing down what a poll decided: items, the stories they tell, and every name they go by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, bindparam, func, insert, literal, select, update

from newsletter.model.identity import Decision, Verdict
from newsletter.model.item import Entry
from newsletter.store.mapping import entry_values, storable
from newsletter.store.statements import insert_into
from newsletter.store.tables import AliasRow, ItemRow, MergeRow, RevisionRow, StoryRow
from newsletter.store.types import UtcDateTime


def write_decisions(
    connection: Connection, decisions: Sequence[Decision], *, feed_id: str, now: datetime
) -> tuple[int, ...]:
    """Write each decision; returns the ids of the items they are about, in the same order."""
    new = [decision for decision in decisions if decision.verdict is Verdict.NEW]
    new_ids = iter(_add(connection, new, feed_id=feed_id, now=now))
    ids = tuple(next(new_ids) if one.verdict is Verdict.NEW else _item_id(one) for one in decisions)
    old = [(item_id, one) for item_id, one in zip(ids, decisions, strict=True) if one.verdict is not Verdict.NEW]
    _revise(connection, old, now=now)
    _refresh(connection, old, now=now)
    _name(connection, zip(ids, decisions, strict=True))
    return ids


def _item_id(decision: Decision) -> int:
    if decision.item_id is None:
        raise ValueError(f"a decision that an entry is {decision.verdict} must name the item")
    return decision.item_id


def _add(connection: Connection, new: Sequence[Decision], *, feed_id: str, now: datetime) -> list[int]:
    if not new:
        return []
    own = iter(_new_stories(connection, sum(one.story_id is None for one in new), now=now))
    rows = [
        entry_values(one.keyed.entry)
        | {
            "dated_at": one.keyed.entry.published_at or now,
            "feed_id": feed_id,
            "story_id": next(own) if one.story_id is None else one.story_id,
            "state": one.state,
            "first_seen_at": now,
            "last_seen_at": now,
            "because": storable(one.because) if one.because else None,
        }
        for one in new
    ]
    ids = list(connection.scalars(insert(ItemRow).returning(ItemRow.id, sort_by_parameter_order=True), rows))
    _merge(connection, zip(ids, new, strict=True), now=now)
    return ids


def _new_stories(connection: Connection, count: int, *, now: datetime) -> list[int]:
    if not count:
        return []
    return list(connection.scalars(insert(StoryRow).returning(StoryRow.id), [{"created_at": now}] * count))


def _merge(connection: Connection, added: Iterable[tuple[int, Decision]], *, now: datetime) -> None:
    rows = [
        {"item_id": item_id, "story_id": one.story_id, "because": storable(one.because or ""), "merged_at": now}
        for item_id, one in added
        if one.story_id is not None
    ]
    if rows:
        connection.execute(insert(MergeRow), rows)


def _revise(connection: Connection, old: Sequence[tuple[int, Decision]], *, now: datetime) -> None:
    """Keep the form that changed items have had until now; a form that was kept before is not news."""
    rows = [
        {"item": item_id, "what": storable(one.changed or one.because or "")}
        for item_id, one in old
        if one.verdict is Verdict.CHANGED
    ]
    same = ("headline", "dek", "text", "content_hash")
    until_now = select(
        ItemRow.id,
        literal(now, UtcDateTime()),
        bindparam("what", type_=Text()),
        *(getattr(ItemRow, name) for name in same),
    ).where(ItemRow.id == bindparam("item"))
    statement = insert_into(connection, RevisionRow).from_select(["item_id", "changed_at", "because", *same], until_now)
    for row in rows:
        connection.execute(statement.on_conflict_do_nothing(), row)


def _refresh(connection: Connection, old: Sequence[tuple[int, Decision]], *, now: datetime) -> None:
    """Keep items as their feed has them now.

    Known ones too: a corrected photo credit makes no other text, but it is owed.
    """
    published = func.coalesce(bindparam("published", type_=UtcDateTime()), ItemRow.first_seen_at)
    refresh = update(ItemRow).where(ItemRow.id == bindparam("item")).values(last_seen_at=now, dated_at=published)
    for verdict, statement in (
        (Verdict.KNOWN, refresh),
        (Verdict.CHANGED, refresh.values(changed_at=now)),
    ):
        rows = [_refreshed(item_id, one.keyed.entry) for item_id, one in old if one.verdict is verdict]
        if rows:
            connection.execute(statement, rows)


def _refreshed(item_id: int, entry: Entry) -> dict[str, Any]:
    return entry_values(entry) | {"item": item_id, "published": entry.published_at}


def _name(connection: Connection, named: Iterable[tuple[int, Decision]]) -> None:
    """Keep every name. A strong one that names another item already is kept as a weak one: it is no proof any more."""
    rows = [
        {"kind": key.kind, "scope": key.scope, "value": storable(key.value), "item_id": item_id, "strong": key.strong}
        for item_id, one in named
        for key in one.keyed.keys
    ]
    statement = insert_into(connection, AliasRow).on_conflict_do_nothing()
    for kept in (rows, [row | {"strong": False} for row in rows if row["strong"]]):
        if kept:
            connection.execute(statement, kept)
