"""Which items were taken out of a feed's list, as against those that newer ones have pushed off its end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

_MOST_AT_ONCE = 3
"""If more than a third of a list is gone, it is another list."""


def taken_out(before: Sequence[int], after: Collection[int], dated: Mapping[int, datetime]) -> tuple[int, ...]:
    """Items of the list `before` that are gone from its middle: an older and a newer neighbour are in `after` still.

    `before` is in the document's order. A feed that is not ordered by date has no middle.
    """
    gone = [item for item in before if item not in after]
    if len(gone) * _MOST_AT_ONCE > len(before):
        return ()
    places = {item: place for place, item in enumerate(before)}
    news = [item for item in after if item not in places]
    kept = [item for item in before if item in after]
    return tuple(
        item
        for item in gone
        if any(_amid(item, kept, dated, places, sign=sign, pushed=_newer(item, news, dated)) for sign in (1, -1))
    )


def _newer(item: int, news: Sequence[int], dated: Mapping[int, datetime]) -> int:
    return sum(dated[one] >= dated[item] for one in news)


def _amid(
    item: int, kept: Sequence[int], dated: Mapping[int, datetime], places: Mapping[int, int], *, sign: int, pushed: int
) -> bool:
    """Whether newer ones stand on one side of the item and older ones on the other; `sign` is -1 for oldest first."""
    at, when = places[item] * sign, dated[item]
    newer = any(places[one] * sign < at and dated[one] >= when for one in kept)
    older = sum(places[one] * sign > at and dated[one] <= when for one in kept)
    # A single one may be pinned to the end of the list, from which news push the others.
    return newer and (older > 1 or (older == 1 and not pushed))


def still_amid(item: int, after: Collection[int], dated: Mapping[int, datetime]) -> bool:
    """Whether an item that was taken out earlier would still stand in the list, had it been left there."""
    dates = [dated[one] for one in after]
    return item not in after and bool(dates) and min(dates) <= dated[item] <= max(dates)
