"""Moving subscriptions from one state to another, never without a line in the record of consent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256

from sqlalchemy import BigInteger, Connection, Insert, bindparam, insert, select, update
from sqlalchemy.sql.dml import ReturningUpdate

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
    told = {"given": as_given(ids), "was": before, "becomes": after, "now": said.now}
    moved = list(connection.scalars(_moving(connection.dialect.name), told))
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
    same_for_all = {
        "said_before": before,
        "said_after": after,
        "said_at": said.now,
        "said_source": storable(said.source),
        "said_text": storable(said.remark),
        "said_wording": keep_wording(connection, said.text),
        "said_token": said.token or None,
    }
    told = {"given": as_given(ids)} | same_for_all
    connection.execute(_recording(connection.dialect.name), told)


# Made once: to make such a statement takes several times as long as to run it, and who leaves holds up other writers.


@cache
def _moving(dialect: str) -> ReturningUpdate[int]:
    asked = given(dialect, id=BigInteger())
    return (
        update(SubscriptionRow)
        .where(SubscriptionRow.id.in_(select(asked.c.id)), SubscriptionRow.state == bindparam("was"))
        .values(state=bindparam("becomes"), since_at=bindparam("now"))
        .returning(SubscriptionRow.id)
    )


@cache
def _recording(dialect: str) -> Insert:
    asked = given(dialect, id=BigInteger())
    row = ConsentRow.__table__.c
    same_for_all = [row.before, row.after, row.at, row.source, row.text, row.wording, row.token]
    lines = select(asked.c.id, *(bindparam(f"said_{column.name}", type_=column.type) for column in same_for_all))
    return insert(ConsentRow).from_select([row.subscription_id, *same_for_all], lines, include_defaults=False)


def keep_wording(connection: Connection, text: str) -> str | None:
    """The hash under which a wording is kept, once for all who were shown it; None for no words."""
    if not text:
        return None
    kept = storable(text)
    hashed = sha256(kept.encode()).hexdigest()
    connection.execute(insert_into(connection, WordingRow).on_conflict_do_nothing(), {"hash": hashed, "text": kept})
    return hashed
