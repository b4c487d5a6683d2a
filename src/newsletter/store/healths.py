"""What is remembered of feeds, many rows as one value (see `given`): a sweep reads and writes thousands of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

from newsletter.model.feed import FeedHealth, FeedState, Validators
from newsletter.store.given import as_one, as_told, instant_from
from newsletter.store.habits import habits_from, habits_text
from newsletter.store.mapping import storable
from newsletter.store.tables import FeedRow

_LEASE = "leased_until"
COLUMNS = tuple(column for column in FeedRow.__table__.columns if column.name != _LEASE)
"""All but the lease, which is the store's own business. `health_from` and `health_row` know their order."""


def healths(connection: Connection, rows: Select[Any]) -> list[FeedHealth]:
    """The healths in a query of whole rows of feeds, in its order."""
    return [health_from(row) for row in as_told(connection.scalar(all_of(connection.dialect.name, rows)))]


def all_of(dialect: str, rows: Select[Any]) -> Select[Any]:
    """A query for one value, of what `health_from` takes, and of each lease behind it."""
    found = rows.subquery("found")
    return select(as_one(dialect, *(found.c[column.name] for column in COLUMNS), found.c[_LEASE]))


def health_from(told: Sequence[Any], *, taken: bool = False) -> FeedHealth:
    """What one row remembers; it is `taken` if its fence is about to grow."""
    (feed_id, url, state, etag, last_modified, body_hash, status, tried, succeeded, due, spared, *rest) = told
    failures, because, fence, habits, _ = rest
    learned: dict[str, Any] = json.loads(habits) if habits else {}
    return FeedHealth(
        feed_id=feed_id,
        url=url,
        state=FeedState(state),
        validators=Validators(etag=etag, last_modified=last_modified, origin=learned.get("origin")),
        body_hash=body_hash,
        last_status=status,
        last_try_at=tried and instant_from(tried),
        last_success_at=succeeded and instant_from(succeeded),
        next_poll_at=due and instant_from(due),
        not_before_at=spared and instant_from(spared),
        failures=failures,
        because=because,
        habits=habits_from(learned),
        fence=fence + taken,
    )


def health_row(health: FeedHealth) -> tuple[object, ...]:
    """The values of a feed's `COLUMNS`."""
    validators = health.validators
    return (
        storable(health.feed_id),
        storable(health.url),
        health.state,
        _storable(validators.etag),
        _storable(validators.last_modified),
        health.body_hash,
        health.last_status,
        health.last_try_at,
        health.last_success_at,
        health.next_poll_at,
        health.not_before_at,
        health.failures,
        _storable(health.because),
        health.fence,
        habits_text(health),
    )


def _storable(text: str | None) -> str | None:
    return None if text is None else storable(text)
