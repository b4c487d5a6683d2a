"""What our hub was told of a list, so that it is told of each change once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """The last thing to be told of a list's feed. `mark` names the state of the feed it is about.

    `next_try_at` is set while the hub has not taken it.
    """

    list_id: str
    mark: str
    tries: int = 0
    next_try_at: datetime | None = None
