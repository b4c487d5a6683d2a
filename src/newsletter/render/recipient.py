"""One reader's own values, as a message needs them. Whoever makes tokens hands them in finished."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from newsletter.errors import AddressError
from newsletter.model.text import one_line

FIELDS = ("address", "name", "unsubscribe", "preferences", "confirm")
"""What is different for each reader: the names of placeholders."""

_NAME_LIMIT = 120


@dataclass(slots=True, kw_only=True)  # made for each message: frozen ones take three times as long
class Recipient:
    """The one person a message goes to.

    `message_id` is the local part of the Message-ID: the same for the same edition and subscriber, always. Addresses of
    pages are absolute; those left empty leave out their header. `dated_at` is for letters, each of which has its own.
    """

    address: str
    name: str = ""
    message_id: str
    unsubscribe_url: str = ""
    unsubscribe_mailto: str = ""
    preferences_url: str = ""
    confirm_url: str = ""
    dated_at: datetime | None = None


def shown_name(recipient: Recipient) -> str:
    """The recipient's name as it may be shown: imports bring anything."""
    name = recipient.name
    # What is printable has no control, separator or bidi override in it; nearly every name is.
    if name.isprintable() and "=?" not in name and len(name) <= _NAME_LIMIT:
        return name.strip()
    return one_line(name, limit=_NAME_LIMIT)


def values_of(recipient: Recipient) -> dict[str, str]:
    """What each placeholder of a mail becomes, or AddressError if one could break out of its line."""
    values = {
        "address": recipient.address,
        "name": shown_name(recipient),
        "unsubscribe": recipient.unsubscribe_url,
        "preferences": recipient.preferences_url,
        "confirm": recipient.confirm_url,
    }
    if not (recipient.message_id + recipient.unsubscribe_mailto + "".join(values.values())).isprintable():
        raise AddressError("an address or a link with a control character in it cannot be written into a message")
    return values
