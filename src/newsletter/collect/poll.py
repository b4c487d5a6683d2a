"""Ask the feeds that are due, read what is new, and keep it.

For each feed: take its lease, ask with the validators of last time, stop there if nothing changed; else read the
entries that are not known by their bytes, decide what each is, and write items and validators in one transaction.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog

from newsletter.collect.asking import NOT_MODIFIED, Asking, Outcome
from newsletter.collect.habits import concluded, told
from newsletter.collect.hosts import surveyed
from newsletter.collect.http import Fetcher
from newsletter.collect.hubs import pushing
from newsletter.collect.identity import decide
from newsletter.collect.rhythm import TOO_BUSY, asked_anew
from newsletter.collect.turns import Turn, Turns
from newsletter.collect.worker import Parser
from newsletter.errors import NewsletterError
from newsletter.garbage import sought_seldom
from newsletter.model.clock import Clock
from newsletter.model.feed import Feed, FeedHealth
from newsletter.model.hub import HubSubscription
from newsletter.model.item import PollReport
from newsletter.store.ports import Brought, Feeds, Take
from newsletter.store.seam import Together, finished, in_thread

if TYPE_CHECKING:
    from newsletter.collect.whole import Whole

# Longer than a fetch and a reading may take together; after a crash the feed waits this long.
LEASE = timedelta(minutes=5)
# Between two requests to a host that is too busy.
PAUSE = timedelta(seconds=1)
# For each that may be asked at a time, feeds that hold a lease and wait for their turn: few, since leases run out.
_AHEAD = 8
# And feeds whose outcome is not written down yet: what is kept together costs one commit.
_BEHIND = 16
# Of feeds with news, whose turn to write is a longer one.
_DECIDED_TOGETHER = 16
# For each feed some hundred are made, and hardly one is in a circle.
_OBJECTS_BETWEEN_LOOKS = 10_000

T = TypeVar("T")

log = structlog.get_logger()


async def poll(
    feeds: Sequence[Feed],
    *,
    store: Feeds,
    fetcher: Fetcher,
    parser: Parser,
    clock: Clock,
    force: bool = False,
    concurrency: int = 16,
    pause: timedelta = PAUSE,
    luck: Callable[[], float] = random.random,
    hubs: Sequence[HubSubscription] = (),
    whole: Whole | None = None,
    tell: Callable[[PollReport], None] = lambda _: None,
) -> tuple[PollReport, ...]:
    """Poll every feed that is due; one report for each feed, in their order.

    `force` asks also those that are not due. `tell` gets each report as it is there. A feed that fails, in whatever
    way, is put off and reported; it never stops another. Feeds of one host are asked one after the other, with a
    `pause` between them once it said that it is too busy. Feeds whose `hubs` tell what is new are asked once a day.
    `whole` completes the items of feeds that want that.
    """
    pushed = pushing(hubs, now=clock.now())
    survey = await in_thread(lambda: surveyed(feeds, store.each_health(), now=clock.now(), force=force, pushed=pushed))
    polls = _Polls(
        feeds=feeds,
        store=store,
        clock=clock,
        asking=Asking(
            store=store,
            fetcher=fetcher,
            parser=parser,
            clock=clock,
            force=force,
            luck=luck,
            spared=survey.spared,
            pushed=pushed,
        ),
        doubtful=await in_thread(store.doubtful),
        pause=pause,
        whole=whole,
        tell=tell,
        most_behind=_BEHIND * concurrency,
        keeping=Together(partial(_all_kept, store)),
        recording=Together(store.record, most=_DECIDED_TOGETHER),
    )
    for at, why in survey.refused.items():
        polls.report(at, PollReport(feed=feeds[at].id, because=why))
    try:
        with sought_seldom(objects=_OBJECTS_BETWEEN_LOOKS):
            await polls.all(survey.due, concurrency=concurrency)
    except* NewsletterError as failures:
        # Only the store fails for all feeds at once, and says the same to each.
        raise failures.exceptions[0] from None
    return tuple(polls.reports[at] for at in sorted(polls.reports))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Polls:
    """All polls of a round. Feeds are known by their places in `feeds`.

    `doubtful` are feeds from whose list something was gone at their last poll.
    """

    feeds: Sequence[Feed]
    store: Feeds
    clock: Clock
    asking: Asking
    doubtful: frozenset[str]
    pause: timedelta
    whole: Whole | None
    tell: Callable[[PollReport], None]
    most_behind: int
    keeping: Together[FeedHealth, None]
    recording: Together[Brought, PollReport]
    log: structlog.typing.FilteringBoundLogger = field(default_factory=log.bind)
    """Bound once: what is not written for the level's sake then costs nothing."""
    reports: dict[int, PollReport] = field(default_factory=dict)
    leased: dict[int, FeedHealth] = field(default_factory=dict)
    """Feeds whose lease is ours, as they were when it was taken."""
    behind: set[asyncio.Future[None]] = field(default_factory=set)
    """One for each feed that was asked and is not written down yet."""
    unkept: list[tuple[int, FeedHealth, Exception]] = field(default_factory=list)
    """Feeds, as they were when they were taken, of which what came could not be written down, and why."""

    async def all(self, hosts: Collection[Sequence[int]], *, concurrency: int) -> None:
        """Ask all feeds, given by host. When we are stopped, those that are not kept stay as they were, and free."""
        turns = Turns(hosts, take=self._take, ahead=_AHEAD * concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(turns.fill())
                for _ in range(min(concurrency, len(hosts))):
                    group.create_task(self._ask(turns, group))
        finally:
            if self.behind:
                await asyncio.wait(self.behind)
            if self.leased:
                await in_thread(self.store.record_unchanged, *self.leased.values())

    async def _take(self, places: Sequence[int]) -> Sequence[FeedHealth | None]:
        now = self.clock.now()
        takes = [Take(feed_id=self.feeds[at].id, url=self.feeds[at].url, now=now, lease=LEASE) for at in places]
        taking = asyncio.ensure_future(asyncio.to_thread(self.store.take, takes))
        try:
            return await finished(taking)
        finally:
            if taking.done() and taking.exception() is None:
                self.leased.update((at, leased) for at, leased in zip(places, taking.result(), strict=True) if leased)

    async def _ask(self, turns: Turns, group: asyncio.TaskGroup) -> None:
        """Ask one feed after the other, until all have had their turn and are written down."""
        while (turn := await turns.next()) is not None:
            status = await self._asked(turn, group)
            turns.over(turn, pause=self.pause.total_seconds() if status in TOO_BUSY else 0)
            await self._catch_up(self.most_behind)
        await self._catch_up(0)

    async def _asked(self, turn: Turn, group: asyncio.TaskGroup) -> int | None:
        """Ask a feed and let what comes of it be kept meanwhile, or say why not; the status of its answer."""
        at, feed = turn.place, self.feeds[turn.place]
        if turn.leased is None:
            self.report(at, PollReport(feed=feed.id, because="another run is polling it"))
            return None
        if why := self.asking.why_not(feed, turn.leased):
            self._keep(at, turn.leased, PollReport(feed=feed.id, because=why))
            return None
        outcome = await self.asking.asked(feed, turn.leased)
        if outcome.parsed is None and feed.id not in self.doubtful:
            self._keep(at, outcome.health, outcome.report)
        else:
            settling = group.create_task(self._settle(at, outcome))
            self.behind.add(settling)
            settling.add_done_callback(self.behind.discard)
        return outcome.report.status

    def _keep(self, at: int, health: FeedHealth, report: PollReport) -> None:
        """Have a feed's row written, and report it then."""
        keeping = self.keeping.ask(health)
        self.behind.add(keeping)
        keeping.add_done_callback(partial(self._is_kept, at, report))

    def _is_kept(self, at: int, report: PollReport, keeping: asyncio.Future[None]) -> None:
        self.behind.discard(keeping)
        if exc := keeping.exception():
            assert isinstance(exc, Exception)
            self.unkept.append((at, self.leased[at], exc))
        else:
            del self.leased[at]
            self.report(at, report)

    async def _settle(self, at: int, outcome: Outcome) -> None:
        """Complete what was read, decide what it is, and keep it."""
        leased = self.leased[at]
        try:
            self.report(at, await self._kept(at, await self._completed(self.feeds[at], outcome)))
        except Exception as exc:  # noqa: BLE001 the outermost loop: this feed failed, the others go on
            self.unkept.append((at, leased, exc))

    async def _completed(self, feed: Feed, outcome: Outcome) -> Outcome:
        """The outcome with whole texts, where the feed's editor wants them."""
        if self.whole is None or outcome.parsed is None or not feed.full_text:
            return outcome
        parsed, because = await self.whole.completed(feed, outcome.parsed, first=outcome.first)
        return replace(outcome, parsed=parsed, health=told(outcome.health, because))

    async def _kept(self, at: int, outcome: Outcome) -> PollReport:
        """Write an outcome down, items and validators together."""
        if outcome.parsed is None:
            await self._released(at, self.keeping.ask(outcome.health))
            return await self._confirmed(outcome.report)
        brought = Brought(
            health=outcome.health,
            entries=outcome.parsed.entries,
            decide=partial(decide, feed=self.feeds[at], first=outcome.first),
            now=self.clock.now(),
            listed=outcome.parsed.listed,
            conclude=partial(concluded, parsed=outcome.parsed, first=outcome.first),
        )
        report = await self._released(at, self.recording.ask(brought))
        return replace(report, known=report.known + outcome.parsed.known)

    async def _released(self, at: int, keeping: asyncio.Future[T]) -> T:
        """What the store answers; from then on the feed's lease is not ours, also if we are stopped meanwhile."""
        try:
            return await finished(keeping)
        finally:
            if keeping.done() and keeping.exception() is None:
                self.leased.pop(at, None)

    async def _confirmed(self, report: PollReport) -> PollReport:
        """The report of a poll that found the same list again, after what was missing from it before was retracted."""
        if report.status != NOT_MODIFIED or report.failed or report.feed not in self.doubtful:
            return report
        return replace(report, retracted=await in_thread(self.store.listed_again, report.feed))

    async def _catch_up(self, most: int) -> None:
        """Wait until not more than so many are behind. What could not be kept is kept as a failure."""
        while self.unkept or len(self.behind) > most:
            if self.unkept:
                await self._keep_failure(*self.unkept.pop())
            else:
                await asyncio.wait(self.behind, return_when=asyncio.FIRST_COMPLETED)

    async def _keep_failure(self, at: int, leased: FeedHealth, exc: Exception) -> None:
        feed = self.feeds[at]
        outcome = self.asking.failed(feed, asked_anew(feed, leased), exc)
        await self._released(at, self.keeping.ask(outcome.health))
        self.report(at, outcome.report)

    def report(self, at: int, report: PollReport) -> None:
        """Tell what came of a feed, which is done with."""
        self.reports[at] = report
        self.tell(report)
        if report.failed:
            self.log.warning("feed put off", feed=report.feed, status=report.status, because=report.because)
        elif report.status is not None:
            self.log.info("feed polled", **_facts(report))


def _facts(report: PollReport) -> dict[str, object]:
    facts = {"feed": report.feed, "because": report.because, "status": report.status}
    facts |= {"new": report.new, "changed": report.changed, "known": report.known}
    return facts | {name: many for name in ("held", "retracted") if (many := getattr(report, name))}


def _all_kept(store: Feeds, healths: Sequence[FeedHealth]) -> Sequence[None]:
    store.record_unchanged(*healths)
    return [None] * len(healths)
