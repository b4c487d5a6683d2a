"""What people want of their mail: kept with the person, and with each of their subscriptions."""

from __future__ import annotations

from sqlalchemy import Connection, update

from newsletter.model.subscriber import Preferences
from newsletter.store.mapping import language_tag, topics_text
from newsletter.store.tables import SubscriberRow, SubscriptionRow


def keep_preferences(connection: Connection, subscriber_id: int, preferences: Preferences) -> bool:
    """Write them down; False if there is no such person (any more)."""
    person = update(SubscriberRow).where(SubscriberRow.id == subscriber_id, SubscriberRow.erased_at.is_(None))
    wanted = {
        "language": language_tag(preferences.language),
        "text_only": preferences.text_only,
        "tracking": preferences.tracking,
    }
    if not connection.execute(person.values(**wanted)).rowcount:
        return False
    for list_id, taste in preferences.tastes.items():
        on_list = SubscriptionRow.subscriber_id == subscriber_id, SubscriptionRow.list_id == list_id
        connection.execute(
            update(SubscriptionRow).where(*on_list).values(weekly=taste.weekly, topics=topics_text(taste.topics))
        )
    return True
