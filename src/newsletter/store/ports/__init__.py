"""What the stages need from the store, a protocol a noun. Every method commits its own transaction.

All methods are synchronous and thread-safe: asynchronous code calls them through `seam.in_thread`. Values go in and
come out; no row, session or SQL is ever seen here. Other rooms import from here, not from the files.
"""

from newsletter.store.ports.census import Census
from newsletter.store.ports.departures import Departed, Departures
from newsletter.store.ports.editions import Editions, Slot, Slots, Visits
from newsletter.store.ports.feeds import Brought, Feeds, Take
from newsletter.store.ports.hubs import Announcements, Hubs
from newsletter.store.ports.items import Items, Stories
from newsletter.store.ports.ledger import Ledger, Letters
from newsletter.store.ports.pacing import Limits, Pacing
from newsletter.store.ports.pages import Links, Robots
from newsletter.store.ports.subscribers import Added, AddressChanges, Person, Subscribers
from newsletter.store.ports.suppressions import Suppressions

__all__ = [
    "Added",
    "AddressChanges",
    "Announcements",
    "Brought",
    "Census",
    "Departed",
    "Departures",
    "Editions",
    "Feeds",
    "Hubs",
    "Items",
    "Ledger",
    "Letters",
    "Limits",
    "Links",
    "Pacing",
    "Person",
    "Robots",
    "Slot",
    "Slots",
    "Stories",
    "Subscribers",
    "Suppressions",
    "Take",
    "Visits",
]
