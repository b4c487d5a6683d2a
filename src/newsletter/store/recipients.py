"""Who an edition goes to: the active subscriptions of its list, and of those the ones in its rhythm."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Select, exists, select, text, true

from newsletter.model.edition import Draft
from newsletter.model.publication import Digest
from newsletter.model.segment import parsed
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.segments import in_segment
from newsletter.store.tables import SubscriberRow, SubscriptionRow


def recipients_of(draft: Draft, *, people: bool = False) -> Select[int, int]:
    """(subscriber id, subscription id) of each, in no order; with `people`, joined with their subscribers.

    Who was erased has no active subscription, and no address that claiming would find. So nothing is read of people
    unless it is asked for: for most editions an index of subscriptions has all.
    """
    active = (
        select(SubscriptionRow.subscriber_id, SubscriptionRow.id.label("subscription_id"))
        .where(SubscriptionRow.list_id == draft.mailing_list.id, SubscriptionRow.state == SubscriptionState.ACTIVE)
        .where(_in_rhythm(draft.digest))
    )
    segment = draft.digest.segment
    if people or segment:
        active = active.join(SubscriberRow, SubscriberRow.id == SubscriptionRow.subscriber_id)
    return active.where(in_segment(parsed(segment), now=draft.dated_at)) if segment else active


def anybody_weekly(connection: Connection, list_id: str) -> bool:
    """Whether somebody on the list wants one edition a week. Spelt as the partial index is."""
    weekly = exists().where(SubscriptionRow.list_id == list_id, text("subscriptions.weekly"))
    return bool(connection.scalar(select(weekly.where(SubscriptionRow.state == SubscriptionState.ACTIVE))))


def _in_rhythm(digest: Digest) -> ColumnElement[bool]:
    """A digest that has no weekly edition goes to everybody: who chose that would else get nothing."""
    if digest.weekly_of:
        return SubscriptionRow.weekly.is_(True)
    return SubscriptionRow.weekly.is_(False) if digest.weekly else true()
