"""A feed at its hub, as the store keeps it."""

from datetime import UTC, datetime

from newsletter.model.hub import HubState, HubSubscription
from newsletter.model.settings import Secret

SUBSCRIPTION = HubSubscription(
    token=Secret("the-end-of-an-address-that-only-one-hub-knows"),
    feed_id="harbour",
    hub="https://hub.example/",
    topic="https://harbour.example/feed",
    secret=Secret("what this hub signs with"),
    state=HubState.ASKED,
    next_at=datetime(2026, 11, 23, tzinfo=UTC),
)
