"""When a feed gives all its items new names at once: a new domain, a new system, another plugin. That is no news.

One item under a new name is told from a new piece by nearly all of its text and the same day. Where most of a document
says that it is new and has the headlines of items we know, half of the text is proof enough for each, or the same day
where there is no text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

from newsletter.collect.sketch import ALIKE, likeness, words
from newsletter.model.identity import Decision, Lookup, Verdict
from newsletter.model.item import Entry, Item

_FEWEST = 3
"""Fewer are columns that come again."""
_LOOKED_AT = 300
_A_DAY = timedelta(days=1)


def renamed(lookup: Lookup, decisions: Sequence[Decision], *, feed: str) -> dict[int, Item]:
    """The known items whose headlines new entries have, by the decisions' places; none if that may be chance."""
    news = [at for at, one in enumerate(decisions) if one.verdict is Verdict.NEW]
    if len(news) < _FEWEST:
        return {}
    taken = {one.item_id for one in decisions}
    known = _once_each(item for item in lookup.latest(feed, limit=_LOOKED_AT) if item.id not in taken)
    told = Counter(words(decisions[at].keyed.entry.headline) for at in news)
    headlines = {at: title for at in news if told[title := words(decisions[at].keyed.entry.headline)] == 1}
    found = {at: known[title] for at, title in headlines.items() if title in known}
    return found if len(found) >= _FEWEST and 2 * len(found) > len(news) else {}


def _once_each(items: Iterable[Item]) -> dict[tuple[str, ...], Item]:
    """Items by their headlines, without those that several have: a column's name recognises none of its pieces."""
    bearers: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        bearers.setdefault(words(item.entry.headline), []).append(item)
    return {title: those[0] for title, those in bearers.items() if len(those) == 1 and title}


def is_the_same(entry: Entry, stored: Entry) -> bool:
    """Whether an entry with a known item's headline, in a document that gives new names, is that item."""
    found = likeness(headlines=(entry.headline, stored.headline), texts=(entry.text, stored.text))
    if found.phrases:
        return found.share >= ALIKE
    dates = entry.published_at, stored.published_at
    return dates[0] is not None and dates[1] is not None and abs(dates[0] - dates[1]) <= _A_DAY
