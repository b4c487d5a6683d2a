"""Moving subscriptions from one state to another, never without a line in the record of consent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import BigInteger, Connection, insert, literal, select, update

from newsletter.model.subscriber import SUBSCRIPTION_MOVES, SubscriptionState
from newsletter.store.given import as_given, given
from newsletter.store.mapping import storable
from newsletter.store.statements import insert_into
from newsletter.store.tables import ConsentRow, SubscriptionRow, WordingRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Who said so, by which link, to which words that they were shown, and when; `remark` is ours."""

    source: str
    now: datetime
    text: str = ""
    token: str = ""
    remark: str = ""


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
        row.text: storable(said.remark),
        row.wording: keep_wording(connection, said.text),
        row.token: said.token or None,
    }
    lines = select(asked.c.id, *(literal(value, column.type) for column, value in same_for_all.items()))
    statement = insert(ConsentRow).from_select([row.subscription_id, *same_for_all], lines, include_defaults=False)
    connection.execute(statement, {"given": as_given([each] for each in ids)})


def keep_wording(connection: Connection, text: str) -> str | None:
    """The hash under which a wording is kept, once for all who were shown it; None for no words."""
    if not text:
        return None
    kept = storable(text)
    hashed = sha256(kept.encode()).hexdigest()
    connection.execute(insert_into(connection, WordingRow).on_conflict_do_nothing(), {"hash": hashed, "text": kept})
    return hashed
