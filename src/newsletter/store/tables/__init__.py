"""The tables. Row classes stay in this room; `mapping` turns them into model values at its door.

Every constraint that a promise rests on is here, not in code: one item per strong key, one issue of a story per list,
one delivery per (edition, subscriber), one slot per (digest, local time). `Base.metadata` is complete once this package
is imported: a new file of tables is imported here.
"""

from newsletter.store.tables.base import Base
from newsletter.store.tables.departures import DepartureRow, PartingWordsRow
from newsletter.store.tables.editions import (
    DocumentRow,
    EditionItemRow,
    EditionRow,
    FreezingRow,
    IssueRow,
    SlotRow,
    VariantRow,
    VisitRow,
)
from newsletter.store.tables.facts import FactRow
from newsletter.store.tables.feeds import FeedRow, WindowRow
from newsletter.store.tables.hubs import AnnouncementRow, HubSubscriptionRow, PushRow
from newsletter.store.tables.items import AliasRow, ItemRow, MergeRow, RevisionRow, StoryRow
from newsletter.store.tables.ledger import DeliveryRow, LetterRow
from newsletter.store.tables.pacing import LimitRow, SlowdownRow, TurnRow
from newsletter.store.tables.pages import LinkRow, RobotsRow
from newsletter.store.tables.subscribers import (
    AddressChangeRow,
    ConsentRow,
    SubscriberRow,
    SubscriptionRow,
    TroubleRow,
    WordingRow,
)
from newsletter.store.tables.suppressions import SuppressedDomainRow, SuppressionRow

__all__ = [
    "AddressChangeRow",
    "AliasRow",
    "AnnouncementRow",
    "Base",
    "ConsentRow",
    "DeliveryRow",
    "DepartureRow",
    "DocumentRow",
    "EditionItemRow",
    "EditionRow",
    "FactRow",
    "FeedRow",
    "FreezingRow",
    "HubSubscriptionRow",
    "IssueRow",
    "ItemRow",
    "LetterRow",
    "LimitRow",
    "LinkRow",
    "MergeRow",
    "PartingWordsRow",
    "PushRow",
    "RevisionRow",
    "RobotsRow",
    "SlotRow",
    "SlowdownRow",
    "StoryRow",
    "SubscriberRow",
    "SubscriptionRow",
    "SuppressedDomainRow",
    "SuppressionRow",
    "TroubleRow",
    "TurnRow",
    "VariantRow",
    "VisitRow",
    "WindowRow",
    "WordingRow",
]
