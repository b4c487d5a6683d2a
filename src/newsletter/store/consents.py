"""Moving subscriptions from one state to another, never without a line in the record of consent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Connection, insert, literal, select, update

from newsletter.model.subscriber import SUBSCRIPTION_MOVES, SubscriptionState
from newsletter.store.given import as_given, given
from newsletter.store.mapping import storable
from newsletter.store.tables import ConsentRow, SubscriptionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Who said so, in which words, and when."""

    source: str
    text: str
    now: datetime


def change(
    connection: Connection, ids: Collection[int], *, before: SubscriptionState, after: SubscriptionState, said: Said
) -> list[int]:
    """Move those of the subscriptions that are in `before` and put it on record; returns their ids."""
    SUBSCRIPTION_MOVES.check(before, after)
    if not ids:
        return []
    asked = given(connection.dialect.name, id=BigInteger())
    statement = (
        update(SubscriptionRow)
        .where(SubscriptionRow.id.in_(select(asked.c.id)), SubscriptionRow.state == before)
        .values(state=after, since_at=said.now)
        .returning(SubscriptionRow.id)
    )
    moved = list(connection.scalars(statement, {"given": as_given([each] for each in ids)}))
    put_on_record(connection, moved, before=before, after=after, said=said)
    return moved


def put_on_record(
    connection: Connection,
    ids: Collection[int],
    *,
    before: SubscriptionState | None,
    after: SubscriptionState,
    said: Said,
) -> None:
    """Write a line of consent for each subscription."""
    if not ids:
        return
    asked = given(connection.dialect.name, id=BigInteger())
    row = ConsentRow.__table__.c
    same_for_all = {
        row.before: before,
        row.after: after,
        row.at: said.now,
        row.source: storable(said.source),
        row.text: storable(said.text),
    }
    lines = select(asked.c.id, *(literal(value, column.type) for column, value in same_for_all.items()))
    statement = insert(ConsentRow).from_select([row.subscription_id, *same_for_all], lines, include_defaults=False)
    connection.execute(statement, {"given": as_given([each] for each in ids)})
