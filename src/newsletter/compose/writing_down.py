"""An edition is frozen with its first recipients; the others are written down behind it, while those get their mail."""

from __future__ import annotations

import asyncio

from newsletter.store.ports import Editions
from newsletter.store.seam import in_thread

_SLICE = 5_000
"""Recipients who are written down together: hundredths of a second, in which SQLite lets nobody else write."""
_FIRST_SLICE = 600
"""And those behind them twice as many, and so on: what begins to send meanwhile writes often, and little."""


async def freeze_rest(editions: Editions, *, stop: asyncio.Event) -> bool:
    """Write down all recipients that are still to come, of every edition; whether there were any.

    `stop` ends it between two slices. What is left is for whoever works next.
    """
    any_left, most = False, _FIRST_SLICE
    while not stop.is_set() and await in_thread(editions.freeze_more, most=most):
        any_left, most = True, min(2 * most, _SLICE)
    return any_left
