"""Who follows more links than a person can. Known for seconds, and in memory alone: nothing is kept of who it was."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

_MOST_AT_ONCE: Final = 3
_AT_ONCE: Final = timedelta(seconds=10)

Client = tuple[str, str]
"""An edition, and the host whose links of it are followed."""


class Bursts:
    """How many links each client has followed lately. To be asked in one thread."""

    __slots__ = ("_lately",)

    def __init__(self) -> None:
        self._lately: OrderedDict[Client, tuple[datetime, int]] = OrderedDict()
        """Since when, and how many; who began longest ago first."""

    def takes(self, client: Client, *, now: datetime) -> bool:
        """Note another link; whether those of the last seconds may all be a person's."""
        self._forget(now)
        since, many = self._lately.get(client, (now, 0))
        self._lately[client] = since, many + 1
        return many < _MOST_AT_ONCE

    def _forget(self, now: datetime) -> None:
        while self._lately:
            since, _ = next(iter(self._lately.values()))
            if timedelta(0) <= now - since < _AT_ONCE:
                return
            self._lately.popitem(last=False)
