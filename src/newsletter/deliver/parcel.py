"""What lanes carry."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.deliver.wire import Packed
from newsletter.model.delivery import Claimed, Reply


@dataclass(slots=True, kw_only=True, eq=False)
class Parcel:
    """A claimed delivery with its finished message."""

    claimed: Claimed
    packed: Packed
    until: float = 0.0
    """When it was begun: until when it is ours, by the lanes' steady clock."""
    instead: Reply | None = None
    """What to take for the answer of a relay that does not offer what the message needs, if not that."""
