"""New items of feeds that give only a part, completed from the article's own page.

Nothing is lost by it: where a page may not or cannot be had, or says less, the feed's own text stays, and that is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import structlog

from newsletter.collect.body import Page, ParsedFeed
from newsletter.collect.identity import decide
from newsletter.collect.keys import keyed
from newsletter.collect.pages import Pages
from newsletter.collect.worker import Parser
from newsletter.errors import FeedError, FetchError
from newsletter.model.feed import Feed
from newsletter.model.identity import Decision, KeyedEntry, Verdict
from newsletter.model.item import Entry, Item, ItemState
from newsletter.store.ports import Feeds
from newsletter.store.seam import in_thread

# A feed's lease lasts five minutes, and its own document has been read by now.
LONGEST = timedelta(minutes=2)
MOST_PAGES = 20
_OK = 200

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Completes documents: `pages` are asked for, read by `parser`."""

    pages: Pages
    parser: Parser
    store: Feeds

    async def completed(self, feed: Feed, parsed: ParsedFeed, *, first: bool) -> tuple[ParsedFeed, str | None]:
        """The document with the whole text of its new and changed items, and in words what could not be had of it."""
        if not parsed.entries:
            return parsed, None
        judging = partial(decide, feed=feed, first=first)
        foreseen = await in_thread(self.store.foreseen, parsed.entries, judging)
        texts = {id(one.keyed.entry): _as_stored(one.keyed.entry, item) for one, item in foreseen if item is not None}
        wanted = [one for one, item in foreseen if _is_wanted(one, item)]
        because = await self._fetched(feed, wanted, texts)
        entries = tuple(_with_text(one, texts.get(id(one.entry)), feed) for one in parsed.entries)
        return replace(parsed, entries=entries), because

    async def _fetched(self, feed: Feed, wanted: Sequence[Decision], texts: dict[int, Entry]) -> str | None:
        failures: list[str] = []
        had = 0
        try:
            async with asyncio.timeout(LONGEST.total_seconds()):
                for one in wanted[:MOST_PAGES]:
                    entry = one.keyed.entry
                    try:
                        texts[id(entry)] = await self._article(feed, texts.get(id(entry), entry))
                        had += 1
                    except FeedError as exc:
                        failures.append(exc.because)
        except TimeoutError:
            failures.append("their pages took too long")
        if len(wanted) > MOST_PAGES:
            failures.append(f"no more than {MOST_PAGES} pages are asked for at a time")
        if not failures:
            return None
        log.warning("articles not whole", feed=feed.id, wanted=len(wanted), had=had, because=failures[0])
        return f"{_not_whole(len(wanted) - had, len(wanted))}: {failures[0]}"

    async def _article(self, feed: Feed, entry: Entry) -> Entry:
        """The entry with the text of its page, if that says more."""
        answer = await self.pages.get(entry.url, feed=feed.id)
        if answer.status != _OK:
            raise FetchError(feed.id, f"the page of an article answered {answer.status}", status=answer.status)
        page = Page(feed=feed.id, content=answer.body, url=answer.url, content_type=answer.content_type)
        found = await self.parser.article(page)
        if len(found.text.split()) <= len(entry.text.split()):
            return entry
        return replace(entry, html=found.html, text=found.text, image=entry.image or next(iter(found.images), None))


def _not_whole(missed: int, wanted: int) -> str:
    """In words that so many items are not whole, of all those that should be."""
    if wanted == 1:
        return "a new or changed item is not whole"
    return f"{missed} of {wanted} new or changed items {'is' if missed == 1 else 'are'} not whole"


def _is_wanted(decision: Decision, item: Item | None) -> bool:
    if decision.verdict is Verdict.NEW:
        return decision.state in {ItemState.ACCEPTED, ItemState.HELD}
    return item is not None and not _same_words(decision.keyed.entry, item.entry)


def _same_words(entry: Entry, stored: Entry) -> bool:
    """Whether the feed says what it said, whatever the page said beyond that."""
    return entry.content_hash == stored.content_hash


def _as_stored(entry: Entry, item: Item) -> Entry:
    """The entry with the text that its page gave before, where that is more."""
    if len(item.entry.text.split()) <= len(entry.text.split()):
        return entry
    return replace(entry, html=item.entry.html, text=item.entry.text)


def _with_text(one: KeyedEntry, entry: Entry | None, feed: Feed) -> KeyedEntry:
    """The entry with another text, known by that as well."""
    if entry is None or entry.text == one.entry.text:
        return one
    return KeyedEntry(entry=entry, keys=tuple(dict.fromkeys((*one.keys, *keyed(entry, feed).keys))))
