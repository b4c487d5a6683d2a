"""Asking one feed and reading what it answers; nothing is kept here, and no failure goes further than its feed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from newsletter.collect.body import Body, ParsedFeed
from newsletter.collect.habits import cut_short, learned, sighted
from newsletter.collect.headers import lifetime, retry_after
from newsletter.collect.hosts import left_alone, left_alone_until, spare
from newsletter.collect.http import Fetched, Fetcher
from newsletter.collect.rhythm import asked_anew, failed, gone, succeeded, why_not
from newsletter.collect.worker import Parser
from newsletter.errors import FeedError, FetchError
from newsletter.model.clock import Clock
from newsletter.model.feed import Feed, FeedHealth, FeedState, Habits, Validators
from newsletter.model.item import PollReport
from newsletter.store.ports import Feeds

NOT_MODIFIED = 304
_OK = frozenset({200, 203})
_GONE = 410

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of asking a feed, not yet kept. Without `parsed` there is nothing to decide about.

    `first`: it is the first document that was read of the feed.
    """

    health: FeedHealth
    report: PollReport
    parsed: ParsedFeed | None = None
    first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What all feeds of a round are asked with.

    `spared` are the hosts to be left alone; it grows as they say so. `pushed` says when hubs last pushed.
    """

    store: Feeds
    fetcher: Fetcher
    parser: Parser
    clock: Clock
    force: bool
    luck: Callable[[], float]
    spared: dict[str, datetime]
    pushed: Mapping[str, datetime]

    def why_not(self, feed: Feed, leased: FeedHealth) -> str | None:
        """Why a feed that was due when we looked is not asked after all.

        Another run may have asked it between our look and our lease; or its host, of another feed, spoken up.
        """
        now = self.clock.now()
        if why := why_not(feed, leased, now=now, force=self.force, pushed_at=self.pushed.get(feed.id)):
            return why
        until = left_alone_until(feed, leased, self.spared, now=now) if self.spared else None
        return left_alone(feed, leased, until) if until else None

    async def asked(self, feed: Feed, leased: FeedHealth) -> Outcome:
        """Ask and read a feed whose lease is ours."""
        health = asked_anew(feed, leased)
        try:
            return await self._answered(feed, health)
        except Exception as exc:  # noqa: BLE001 the outermost loop: this feed failed, the others go on
            return self.failed(feed, health, exc)

    def failed(self, feed: Feed, health: FeedHealth, exc: Exception) -> Outcome:
        """What is told and remembered of a feed that could not be asked, read or kept."""
        return self._put_off(feed, health, _told(exc, feed), exc.status if isinstance(exc, FetchError) else None)

    async def _answered(self, feed: Feed, health: FeedHealth) -> Outcome:
        answer = await self.fetcher.get(health.address, health.validators, feed=feed.id)
        if answer.status == NOT_MODIFIED and answer.compared:
            return self._unchanged(feed, health, answer)
        if answer.status not in _OK:
            return self._refused(feed, health, answer)
        digest = hashlib.sha256(answer.body).hexdigest()
        if digest == health.body_hash:
            return self._unchanged(feed, health, answer)
        return await self._read(feed, health, answer, digest)

    async def _read(self, feed: Feed, health: FeedHealth, answer: Fetched, digest: str) -> Outcome:
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
        return Outcome(health=after, report=report, parsed=parsed, first=health.state is FeedState.NEW)

    def _unchanged(self, feed: Feed, health: FeedHealth, answer: Fetched) -> Outcome:
        """The same as last time: by the server's word, or byte for byte."""
        validators = answer.validators
        if answer.status == NOT_MODIFIED:
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
        return Outcome(health=after, report=PollReport(feed=feed.id, status=NOT_MODIFIED))

    def _sighted(self, habits: Habits, health: FeedHealth, answer: Fetched) -> Habits:
        return sighted(habits, url=health.url, to=answer.moved_to, now=self.clock.now())

    def _refused(self, feed: Feed, health: FeedHealth, answer: Fetched) -> Outcome:
        """An answer of the server, but no feed."""
        now = self.clock.now()
        if answer.status == _GONE and health.address == health.url:
            lost = gone(health, now=now)
            return Outcome(health=lost, report=_failure(feed, _GONE, lost.because))
        because = f"its server answered {answer.status}{_HINTS.get(answer.status, '')}"
        wait = retry_after(answer.headers, now=now)
        return self._put_off(feed, health, because, answer.status, wait=wait)

    def _put_off(
        self, feed: Feed, health: FeedHealth, because: str, status: int | None, *, wait: timedelta | None = None
    ) -> Outcome:
        """A failure: the feed is asked again, later and later."""
        now, jitter = self.clock.now(), self.luck()
        after = failed(feed, health, because=because, status=status, wait=wait, now=now, jitter=jitter)
        spare(self.spared, after, force=self.force)
        return Outcome(health=after, report=_failure(feed, status, because))


# What an operator can do about a refusal.
_HINTS = {
    304: " to a request that asked for no comparison",
    401: ": it lets only known readers in",
    403: ": it does not let us in; ask the partner to allow our user agent",
    404: ": is its url still right?",
    429: ": it is asked too often",
}


def _failure(feed: Feed, status: int | None, because: str | None) -> PollReport:
    return PollReport(feed=feed.id, status=status, failed=True, because=because)


def _told(exc: Exception, feed: Feed) -> str:
    """A failure as the feed's health tells it; one we did not foresee goes to the log in full."""
    if isinstance(exc, FeedError):
        return exc.because
    log.error("feed could not be polled", feed=feed.id, exc_info=exc)
    return f"internal error ({type(exc).__name__}), see the log"
