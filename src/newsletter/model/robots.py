"""A site's robots.txt as it was last had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

GOOD_FOR = timedelta(days=1)
"""No longer is one believed (RFC 9309 section 2.4), or kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsFile:
    """`origin` is scheme, host and port. Where there is no file, `content` is empty; `reachable` is false where its
    server did not tell whether there is.
    """

    origin: str
    asked_at: datetime
    content: bytes = b""
    reachable: bool = True
