"""What one person was sent. Deliveries have no index by person: each edition would be scattered over all of it.

So they are looked up edition by edition, a seek each; of lists that somebody was never on, none.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, func, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from newsletter.model.delivery import DeliveryState
from newsletter.model.edition import EditionState
from newsletter.store.books import DELIVERIES
from newsletter.store.tables import DeliveryRow, EditionRow, SubscriberRow, SubscriptionRow
from newsletter.store.types import UtcDateTime

_GOING = (EditionState.AWAITING, EditionState.APPROVED, EditionState.PAUSED)
"""States of editions that may have deliveries without an outcome."""

_LATE = timedelta(days=1)
"""More than a delivery's outcome comes after its edition is finished, and more than freezing takes."""


def of_person(subscriber_id: int) -> ColumnElement[bool]:
    """Deliveries of a person."""
    lists = select(SubscriptionRow.list_id).where(SubscriptionRow.subscriber_id == subscriber_id)
    return _among(subscriber_id, EditionRow.list_id.in_(lists))


def still_going_to(subscriber_id: int | BindParameter[int]) -> ColumnElement[bool]:
    """Deliveries of a person that may have no outcome yet."""
    return _among(subscriber_id, EditionRow.state.in_(_GOING))


def _among(subscriber_id: int | BindParameter[int], editions: ColumnElement[bool]) -> ColumnElement[bool]:
    row = DELIVERIES.table.c
    return and_(row.edition_id.in_(select(EditionRow.id).where(editions)), row.subscriber_id == subscriber_id)


def got_any(*, since: datetime | None = None) -> ColumnElement[bool]:
    """Whether a server took an edition for the person of a subscription, which is joined with its subscriber.

    The newest edition is looked at first, which is the one that nearly everybody got, and none from before the person.
    """
    newest = (
        select(DeliveryRow.id)
        .join(EditionRow, EditionRow.id == DeliveryRow.edition_id)
        .where(
            EditionRow.frozen_at > _DayBefore(SubscriberRow.created_at),
            DeliveryRow.subscriber_id == SubscriptionRow.subscriber_id,
            func.lower(DeliveryRow.state) == DeliveryState.SENT,  # see Book.moving_by_id
        )
        .order_by(EditionRow.frozen_at.desc(), EditionRow.id.desc())
        .limit(1)
        .correlate(SubscriptionRow, SubscriberRow)
    )
    if since is not None:
        lately = or_(EditionRow.state.in_(_GOING), EditionRow.state_at > since - _LATE)
        newest = newest.where(lately, DeliveryRow.settled_at >= since)
    return newest.scalar_subquery().is_not(None)


class _DayBefore(FunctionElement[datetime]):
    """An instant a day before another: no two clocks that wrote them differ as much."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(_DayBefore, "sqlite")
def _day_before_sqlite(element: _DayBefore, compiler: Any, **options: Any) -> str:
    return f"datetime({compiler.process(element.clauses, **options)}, '-1 day')"


@compiles(_DayBefore, "postgresql")
def _day_before_postgresql(element: _DayBefore, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} - interval '1 day')"
