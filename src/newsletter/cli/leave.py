"""Taking people off lists for `newsletter subscribers unsubscribe`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from newsletter.errors import MoveError, NotFoundError
from newsletter.model.subscriber import SubscriptionState
from newsletter.readers.leavemail import received_at, who_leaves
from newsletter.readers.tokens import token_id

if TYPE_CHECKING:
    from newsletter.app import App

# The mail server's clock and ours are not quite one.
_CLOCKS_APART = timedelta(minutes=1)
_ON_LIST = {SubscriptionState.PENDING, SubscriptionState.ACTIVE}


def leave_by_hand(app: App, address: str, *, list_id: str | None) -> list[str]:
    """The lists that somebody was taken off, by an operator: this one, or all."""
    person = app.subscribers.person(address)
    return [
        each.list_id
        for each in person.subscriptions
        if each.list_id == (list_id or each.list_id)
        and each.state in _ON_LIST
        and app.subscribers.move(each.id, SubscriptionState.LEFT, source="cli", text="", now=app.clock.now())
    ]


def leave_by_mail(app: App, mails: Iterable[bytes]) -> dict[str, int]:
    """Do what mails ask: how many there were, how many asked to leave, and how many had not left yet."""
    counts = {"mails": 0, "asked": 0, "left": 0}
    for mail in mails:
        counts["mails"] += 1
        if (found := who_leaves(mail, app.tokens)) is not None:
            counts["asked"] += 1
            counts["left"] += _leave(app, *found, asked_at=received_at(mail))
    return counts


def _leave(app: App, subscription_id: int, token: str, *, asked_at: datetime | None) -> bool:
    """Whether somebody left who was there. Who is suppressed or erased gets no mail either.

    A mail that is read again takes nobody off who has come back since.
    """
    left = SubscriptionState.LEFT
    try:
        since_at = app.subscribers.subscription(subscription_id).since_at
        if asked_at is not None and asked_at + _CLOCKS_APART < since_at:
            return False
        return app.subscribers.move(
            subscription_id, left, source="mail", text="", token=token_id(token), now=app.clock.now()
        )
    except (MoveError, NotFoundError):
        return False
