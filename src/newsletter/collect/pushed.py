"""Read what hubs pushed, and keep what is new of it: the very way of what a poll brings, but for the asking.

A hub may push a part of the feed's document. Nothing is concluded from what is not in it, and what the next poll asks
with, the validators and the hash of the last body, stays as it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from newsletter.collect.body import Body
from newsletter.collect.habits import breaks_off, heard
from newsletter.collect.identity import decide
from newsletter.collect.worker import Parser
from newsletter.errors import FeedError, StoreError
from newsletter.model.clock import Clock
from newsletter.model.feed import Feed, FeedHealth, FeedState, awaited
from newsletter.model.hub import HubState, Push
from newsletter.model.item import PollReport
from newsletter.model.text import together
from newsletter.store.ports import Feeds, Hubs, Take
from newsletter.store.seam import in_thread

if TYPE_CHECKING:
    from newsletter.collect.whole import Whole

# Longer than a reading and the pages it leads to may take; after a crash the feed waits this long.
LEASE = timedelta(minutes=5)

_PUSHED = "what its hub pushed"

log = structlog.get_logger()


async def take_pushed(
    feeds: Sequence[Feed], *, hubs: Hubs, store: Feeds, parser: Parser, clock: Clock, whole: Whole | None = None
) -> tuple[PollReport, ...]:
    """Read all that waits, but for feeds that are being asked at this moment; a report for each push that was read.

    `whole` completes the items of feeds that want that.
    """
    pushes = _Pushes(hubs=hubs, store=store, parser=parser, clock=clock, whole=whole)
    by_id = {feed.id: feed for feed in feeds if feed.enabled}
    reports = []
    after = 0
    while push := await in_thread(hubs.waiting, after=after):
        after = push.id
        one = await in_thread(hubs.at, push.token)
        feed = by_id.get(one.feed_id) if one else None
        if one is None or feed is None or one.state is HubState.LEAVING:
            await in_thread(hubs.taken, push, pushed_at=None)
            continue
        take = Take(feed_id=feed.id, url=feed.url, now=clock.now(), lease=LEASE)
        if leased := (await in_thread(store.take, [take]))[0]:
            reports.append(await pushes.leased(feed, leased, push, topic=one.topic))
    return tuple(reports)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """What became of a push: `pushed_at` is when its hub told all that it should have, `because` what was wrong."""

    report: PollReport
    pushed_at: datetime | None
    because: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pushes:
    """What all pushes of a round share."""

    hubs: Hubs
    store: Feeds
    parser: Parser
    clock: Clock
    whole: Whole | None

    async def leased(self, feed: Feed, leased: FeedHealth, push: Push, *, topic: str) -> PollReport:
        """Keep what one push brings, and give the feed back whatever happens."""
        try:
            taken = await self._kept(feed, leased, push, topic=topic)
        except StoreError:
            raise
        except FeedError as exc:
            taken = await self._unread(leased, exc.because)
        except asyncio.CancelledError:
            await in_thread(self.store.record_unchanged, leased)
            raise
        except Exception as exc:
            # The outermost loop: this push is given up, and the feed asked in its own rhythm.
            log.exception("push could not be read", feed=feed.id)
            taken = await self._unread(leased, f"internal error ({type(exc).__name__}), see the log")
        await in_thread(self.hubs.taken, push, pushed_at=taken.pushed_at, because=taken.because)
        _note(taken.report)
        return taken.report

    async def _unread(self, leased: FeedHealth, because: str) -> _Taken:
        await in_thread(self.store.record_unchanged, leased)
        because = f"{_PUSHED} could not be read: {because}"
        report = PollReport(feed=leased.feed_id, failed=True, because=because)
        return _Taken(report=report, pushed_at=None, because=because)

    async def _kept(self, feed: Feed, leased: FeedHealth, push: Push, *, topic: str) -> _Taken:
        if leased.url != feed.url or leased.state in {FeedState.NEW, FeedState.GONE}:
            raise FeedError(feed.id, "the feed has another address now, or none")
        body = Body(feed=feed, content=push.content, url=topic, content_type=push.content_type)
        known = partial(self.store.known_digests, feed.id)
        parsed = await self.parser.parse(body, known, now=self.clock.now())
        health = replace(leased, habits=heard(leased.habits, parsed, now=self.clock.now()))
        because = breaks_off(parsed.cut_after, _PUSHED)
        if self.whole is not None and feed.full_text:
            parsed, partly = await self.whole.completed(feed, parsed, first=False)
            because = together(because, partly)
        now = self.clock.now()
        report = await in_thread(
            self.store.record_items,
            health,
            parsed.entries,
            partial(decide, feed=feed, first=False),
            now=now,
            listed=None,
        )
        # What the feed's own last answer lacked has nothing to do with it.
        waits = awaited(feed.id, report.held) if report.held else replace(leased, because=None).wrong
        report = replace(report, known=report.known + parsed.known, because=together(waits, because))
        return _Taken(report=report, pushed_at=now if parsed.cut_after is None else None, because=because)


def _note(report: PollReport) -> None:
    if report.failed:
        log.warning("push not read", feed=report.feed, because=report.because)
    else:
        facts = {name: getattr(report, name) for name in ("new", "changed", "known", "held")}
        log.info("push read", feed=report.feed, because=report.because, **facts)
