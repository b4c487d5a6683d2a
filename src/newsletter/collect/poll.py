"""Ask the feeds that are due, read what is new, and keep it.

For each feed: take its lease, ask with the validators of last time, stop there if nothing changed; else read the
entries that are not known by their bytes, decide what each is, and write items and validators in one transaction.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from newsletter.collect.body import Body, ParsedFeed
from newsletter.collect.habits import concluded, cut_short, learned, sighted, told
from newsletter.collect.headers import lifetime, retry_after
from newsletter.collect.hosts import address, host_of, spare, surveyed
from newsletter.collect.http import Fetched, Fetcher
from newsletter.collect.hubs import pushing
from newsletter.collect.identity import decide
from newsletter.collect.rhythm import TOO_BUSY, asked_anew, failed, gone, minute, succeeded, why_not
from newsletter.collect.worker import Parser
from newsletter.errors import FeedError, FetchError, NewsletterError
from newsletter.model.clock import Clock
from newsletter.model.feed import Feed, FeedHealth, FeedState, Habits, Validators
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
# And feeds at work in all. What is kept together costs one commit.
_AT_WORK = 16
# Of feeds with news, whose turn to write is a longer one.
_DECIDED_TOGETHER = 16
_OK = frozenset({200, 203})
_NOT_MODIFIED = 304
_GONE = 410

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
        store=store,
        fetcher=fetcher,
        parser=parser,
        clock=clock,
        force=force,
        luck=luck,
        doubtful=await in_thread(store.doubtful),
        spared=survey.spared,
        pushed=pushed,
        whole=whole,
        ahead=asyncio.Semaphore(_AHEAD * concurrency),
        asking=asyncio.Semaphore(concurrency),
        taking=Together(store.take),
        keeping=Together(partial(_all_kept, store)),
        recording=Together(store.record, most=_DECIDED_TOGETHER),
    )
    reports = {at: PollReport(feed=feeds[at].id, because=why) for at, why in survey.refused.items()}
    for report in reports.values():
        tell(report)
    waiting = iter(survey.due)

    async def some() -> None:
        for places in waiting:
            for at in places:
                reports[at] = await polls.one(feeds[at])
                tell(reports[at])
                if reports[at].status in TOO_BUSY and at != places[-1]:
                    await asyncio.sleep(pause.total_seconds())

    try:
        async with asyncio.TaskGroup() as group:
            # More than may ask at once: the others take their lease meanwhile, or wait for theirs to be kept.
            for _ in range(min(_AT_WORK * concurrency, len(survey.due))):
                group.create_task(some())
    except* NewsletterError as failures:
        # Only the store fails for all feeds at once, and says the same to each.
        raise failures.exceptions[0] from None
    return tuple(reports[at] for at in sorted(reports))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What came of asking a feed, not yet kept. Without `parsed` there is nothing to decide about.

    `first`: it is the first document that was read of the feed.
    """

    health: FeedHealth
    report: PollReport
    parsed: ParsedFeed | None = None
    first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Polls:
    """What all polls of a round share.

    `doubtful` are feeds from whose list something was gone at their last poll. `spared` are the hosts to be left alone;
    it grows as they say so. `pushed` says when hubs last pushed.
    """

    store: Feeds
    fetcher: Fetcher
    parser: Parser
    clock: Clock
    force: bool
    luck: Callable[[], float]
    doubtful: frozenset[str]
    spared: dict[str, datetime]
    pushed: Mapping[str, datetime]
    whole: Whole | None
    ahead: asyncio.Semaphore
    asking: asyncio.Semaphore
    taking: Together[Take, FeedHealth | None]
    keeping: Together[FeedHealth, None]
    recording: Together[Brought, PollReport]

    async def one(self, feed: Feed) -> PollReport:
        """Poll one feed that was due when we looked, or say why not."""
        async with self.ahead:
            leased = await self._taken(feed)
            if leased is None:
                return PollReport(feed=feed.id, because="another run is polling it")
            # Another run may have asked it between our look and our lease; or its host, of another feed, spoken up.
            if why := self._why_not(feed, leased):
                await finished(self.keeping.ask(leased))
                return PollReport(feed=feed.id, because=why)
            outcome = await self._asked(feed, leased)
        outcome = await self._completed(feed, leased, outcome)
        report = await self._recorded(feed, leased, outcome)
        _note(report)
        return report

    async def _taken(self, feed: Feed) -> FeedHealth | None:
        taking = self.taking.ask(Take(feed_id=feed.id, url=feed.url, now=self.clock.now(), lease=LEASE))
        try:
            return await finished(taking)
        except asyncio.CancelledError:
            if leased := taking.result():
                await in_thread(self.store.record_unchanged, leased)
            raise

    def _why_not(self, feed: Feed, health: FeedHealth) -> str | None:
        now = self.clock.now()
        if why := why_not(feed, health, now=now, force=self.force, pushed_at=self.pushed.get(feed.id)):
            return why
        host = host_of(address(feed, health))
        until = self.spared.get(host)
        if until is None or now >= until:
            return None
        return f"{host} said of another feed that it is asked too often: not before {minute(until)}"

    async def _asked(self, feed: Feed, leased: FeedHealth) -> _Outcome:
        """Ask and read a feed whose lease is ours; nothing is kept yet.

        When we are stopped before there is an outcome, the feed stays as it was and free for the next run.
        """
        health = asked_anew(feed, leased)
        try:
            async with self.asking:
                return await self._answered(feed, health)
        except asyncio.CancelledError:
            await in_thread(self.store.record_unchanged, leased)
            raise
        except Exception as exc:  # noqa: BLE001 the outermost loop: this feed failed, the others go on
            return self._failed(feed, health, exc)

    async def _completed(self, feed: Feed, leased: FeedHealth, outcome: _Outcome) -> _Outcome:
        """The outcome with whole texts, where the feed's editor wants them."""
        if self.whole is None or outcome.parsed is None or not feed.full_text:
            return outcome
        try:
            parsed, because = await self.whole.completed(feed, outcome.parsed, first=outcome.first)
        except asyncio.CancelledError:
            await in_thread(self.store.record_unchanged, leased)
            raise
        return replace(outcome, parsed=parsed, health=told(outcome.health, because))

    async def _recorded(self, feed: Feed, leased: FeedHealth, outcome: _Outcome) -> PollReport:
        """Keep an outcome, or else that it could not be kept: the lease is given back whatever happens."""
        try:
            return await self._kept(feed, outcome)
        except Exception as exc:  # noqa: BLE001 as in _asked
            return await self._kept(feed, self._failed(feed, asked_anew(feed, leased), exc))

    def _failed(self, feed: Feed, health: FeedHealth, exc: Exception) -> _Outcome:
        return self._put_off(feed, health, _told(exc, feed), exc.status if isinstance(exc, FetchError) else None)

    async def _answered(self, feed: Feed, health: FeedHealth) -> _Outcome:
        answer = await self.fetcher.get(health.address, health.validators, feed=feed.id)
        if answer.status == _NOT_MODIFIED and answer.compared:
            return self._unchanged(feed, health, answer)
        if answer.status not in _OK:
            return self._refused(feed, health, answer)
        digest = hashlib.sha256(answer.body).hexdigest()
        if digest == health.body_hash:
            return self._unchanged(feed, health, answer)
        return await self._read(feed, health, answer, digest)

    async def _read(self, feed: Feed, health: FeedHealth, answer: Fetched, digest: str) -> _Outcome:
        body = Body(
            feed=feed,
            content=answer.body,
            url=answer.url,
            content_type=answer.content_type,
            link=answer.link,
        )
        known = partial(self.store.known_digests, feed.id)
        try:
            parsed = await self.parser.parse(body, known, now=self.clock.now())
        except FeedError as exc:
            return self._put_off(feed, health, exc.because, answer.status)
        whole = parsed.cut_after is None
        habits = learned(health.habits, parsed, now=self.clock.now()) if whole else health.habits
        after = succeeded(
            feed,
            health,
            status=answer.status,
            # A document that broke off must come again, also if it is the one that we had before.
            validators=answer.validators if whole else Validators(),
            body_hash=digest if whole else None,
            now=self.clock.now(),
            jitter=self.luck(),
            habits=self._sighted(habits, health, answer),
            lifetime=lifetime(answer.headers),
        )
        after = cut_short(after, parsed.cut_after)
        report = PollReport(feed=feed.id, status=answer.status)
        return _Outcome(health=after, report=report, parsed=parsed, first=health.state is FeedState.NEW)

    def _unchanged(self, feed: Feed, health: FeedHealth, answer: Fetched) -> _Outcome:
        """The same as last time: by the server's word, or byte for byte."""
        validators = answer.validators
        if answer.status == _NOT_MODIFIED:
            validators = replace(
                validators,
                etag=validators.etag or health.validators.etag,
                last_modified=validators.last_modified or health.validators.last_modified,
            )
        after = succeeded(
            feed,
            health,
            status=answer.status,
            validators=validators,
            body_hash=health.body_hash,
            now=self.clock.now(),
            jitter=self.luck(),
            habits=self._sighted(health.habits, health, answer),
            lifetime=lifetime(answer.headers),
        )
        return _Outcome(health=after, report=PollReport(feed=feed.id, status=_NOT_MODIFIED))

    def _sighted(self, habits: Habits, health: FeedHealth, answer: Fetched) -> Habits:
        return sighted(habits, url=health.url, to=answer.moved_to, now=self.clock.now())

    def _refused(self, feed: Feed, health: FeedHealth, answer: Fetched) -> _Outcome:
        """An answer of the server, but no feed."""
        now = self.clock.now()
        if answer.status == _GONE and health.address == health.url:
            lost = gone(health, now=now)
            return _Outcome(health=lost, report=_failure(feed, _GONE, lost.because))
        because = f"its server answered {answer.status}{_HINTS.get(answer.status, '')}"
        wait = retry_after(answer.headers, now=now)
        return self._put_off(feed, health, because, answer.status, wait=wait)

    def _put_off(
        self, feed: Feed, health: FeedHealth, because: str, status: int | None, *, wait: timedelta | None = None
    ) -> _Outcome:
        """A failure: the feed is asked again, later and later."""
        now, jitter = self.clock.now(), self.luck()
        after = failed(feed, health, because=because, status=status, wait=wait, now=now, jitter=jitter)
        spare(self.spared, after, force=self.force)
        return _Outcome(health=after, report=_failure(feed, status, because))

    async def _kept(self, feed: Feed, outcome: _Outcome) -> PollReport:
        """Write an outcome down, items and validators together."""
        if outcome.parsed is None:
            await finished(self.keeping.ask(outcome.health))
            return await self._confirmed(outcome.report)
        brought = Brought(
            health=outcome.health,
            entries=outcome.parsed.entries,
            decide=partial(decide, feed=feed, first=outcome.first),
            now=self.clock.now(),
            listed=outcome.parsed.listed,
            conclude=partial(concluded, parsed=outcome.parsed, first=outcome.first),
        )
        report = await finished(self.recording.ask(brought))
        return replace(report, known=report.known + outcome.parsed.known)

    async def _confirmed(self, report: PollReport) -> PollReport:
        """The report of a poll that found the same list again, after what was missing from it before was retracted."""
        if report.status != _NOT_MODIFIED or report.failed or report.feed not in self.doubtful:
            return report
        return replace(report, retracted=await in_thread(self.store.listed_again, report.feed))


# What an operator can do about a refusal.
_HINTS = {
    304: " to a request that asked for no comparison",
    401: ": it lets only known readers in",
    403: ": it does not let us in; ask the partner to allow our user agent",
    404: ": is its url still right?",
    429: ": it is asked too often",
}


def _all_kept(store: Feeds, healths: Sequence[FeedHealth]) -> Sequence[None]:
    store.record_unchanged(*healths)
    return [None] * len(healths)


def _failure(feed: Feed, status: int | None, because: str | None) -> PollReport:
    return PollReport(feed=feed.id, status=status, failed=True, because=because)


def _told(exc: Exception, feed: Feed) -> str:
    """A failure as the feed's health tells it; one we did not foresee goes to the log in full."""
    if isinstance(exc, FeedError):
        return exc.because
    log.error("feed could not be polled", feed=feed.id, exc_info=exc)
    return f"internal error ({type(exc).__name__}), see the log"


def _note(report: PollReport) -> None:
    facts = {"status": report.status, "new": report.new, "changed": report.changed, "known": report.known}
    facts |= {name: many for name in ("held", "retracted") if (many := getattr(report, name))}
    if report.failed:
        log.warning("feed put off", feed=report.feed, status=report.status, because=report.because)
    else:
        log.info("feed polled", feed=report.feed, because=report.because, **facts)
