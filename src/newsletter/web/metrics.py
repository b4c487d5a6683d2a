"""What a monitor is told (Prometheus), asked of the store when it asks: no address, no token, nobody's name.

Whatever counts many rows is asked again only when a hundred times as long has passed as the counting took: however
large the store is, that is a hundredth of one processor at most. What cannot change any more is counted once.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from newsletter.model.clock import Clock
from newsletter.model.delivery import DeliveryState
from newsletter.model.edition import Edition, EditionState
from newsletter.model.feed import FeedState
from newsletter.model.pacing import rate_at
from newsletter.model.publication import Digest
from newsletter.model.settings import Settings
from newsletter.store.ports import Census, Editions, Feeds, Ledger, Pacing, Slots

K = TypeVar("K")
T = TypeVar("T")
_SHARE: Final = 100
_FRESH_SECONDS: Final = 5.0
_SHOWN: Final = timedelta(days=7)
_LATEST: Final = 200
_OVER: Final = frozenset({EditionState.FINISHED, EditionState.CANCELLED})


class Sending(Protocol):
    """What this process has sent, and over which relays it can."""

    @property
    def attempts(self) -> Mapping[DeliveryState, int]:
        """Attempts by outcome, since the process began."""

    @property
    def unfit(self) -> Sequence[str]:
        """Relays that are paused at present."""


class Site(Protocol):
    """What the metrics need of the application."""

    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def census(self) -> Census: ...
    @property
    def editions(self) -> Editions: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def pacing(self) -> Pacing: ...
    @property
    def feeds(self) -> Feeds: ...
    @property
    def slots(self) -> Slots: ...
    @property
    def dispatch(self) -> Sending: ...
    def digests(self) -> tuple[Digest, ...]:
        """The digests with a schedule."""


class Thrifty(Generic[T]):
    """A value that is found anew only so often that finding it stays cheap."""

    def __init__(self, find: Callable[[], T], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._find = find
        self._clock = clock
        self._guard = threading.Lock()
        self._found: tuple[T, float] | None = None

    def get(self) -> T:
        """The value, as old as a hundred times what it takes to find it."""
        with self._guard:
            if self._found is not None and self._clock() < self._found[1]:
                return self._found[0]
            began = self._clock()
            value = self._find()
            took = self._clock() - began
            self._found = value, self._clock() + max(_FRESH_SECONDS, took * _SHARE)
            return value


class Kept(Generic[K, T]):
    """Values that are found once each, and forgotten as soon as nobody asks for their keys."""

    def __init__(self, find: Callable[[K], T]) -> None:
        self._find = find
        self._found: Mapping[K, T] = {}

    def of(self, keys: Iterable[K]) -> Mapping[K, T]:
        """The values of all keys that are of interest now."""
        before = self._found
        found = {key: before[key] if key in before else self._find(key) for key in keys}
        self._found = found
        return found


class Metrics(Collector):
    """Everything at the moment somebody asks."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._subscriptions = Thrifty(site.census.subscriptions)
        self._feeds = Thrifty(self._count_feeds)
        self._size = Thrifty(site.census.size_bytes)
        self._going = Kept(self._thrifty)
        self._over = Kept(self._final)

    def describe(self) -> list[Metric]:
        """Nothing: so that whoever registers it need not ask the store."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All metrics. StoreError if the store cannot be asked."""
        now = self._site.clock.now()
        yield from self._of_editions(now)
        yield from self._of_providers(now)
        yield from self._of_sending(now)
        yield from self._of_feeds()
        yield from self._of_slots()
        yield from self._of_store()

    def _of_editions(self, now: datetime) -> Iterator[Metric]:
        shown = [
            each
            for each in self._site.editions.listed(limit=_LATEST)
            if each.state not in _OVER or each.frozen_at > now - _SHOWN
        ]
        deliveries = GaugeMetricFamily(
            "newsletter_deliveries", "Deliveries of an edition by state.", labels=["edition", "list", "state"]
        )
        ages = GaugeMetricFamily("newsletter_edition_age_seconds", "Since it was frozen.", labels=["edition", "list"])
        states = GaugeMetricFamily("newsletter_editions", "Editions of the last days by state.", labels=["state"])
        counts = self._counted(shown)
        for each in shown:
            for state in DeliveryState:
                deliveries.add_metric([each.id, each.list_id, state], counts[each.id].get(state, 0))
            ages.add_metric([each.id, each.list_id], (now - each.frozen_at).total_seconds())
        for edition_state in EditionState:
            states.add_metric([edition_state], sum(each.state is edition_state for each in shown))
        yield from (deliveries, ages, states)

    def _counted(self, shown: Sequence[Edition]) -> Mapping[str, Mapping[DeliveryState, int]]:
        """Deliveries by state, by edition."""
        over = self._over.of((each.id, each.state_at) for each in shown if each.state in _OVER)
        going = self._going.of(each.id for each in shown if each.state not in _OVER)
        return {edition_id: counts for (edition_id, _), counts in over.items()} | {
            edition_id: counts.get() for edition_id, counts in going.items()
        }

    def _final(self, edition: tuple[str, datetime | None]) -> Mapping[DeliveryState, int]:
        return self._site.census.deliveries(edition[0])

    def _thrifty(self, edition_id: str) -> Thrifty[Mapping[DeliveryState, int]]:
        return Thrifty(lambda: self._site.census.deliveries(edition_id))

    def _of_providers(self, now: datetime) -> Iterator[Metric]:
        rates = GaugeMetricFamily(
            "newsletter_provider_rate_per_minute",
            "What a provider that is held back may get; 0 while it is paused.",
            labels=["provider"],
        )
        for each in self._site.pacing.slowdowns():
            if (rate := rate_at(each, now)) is not None:
                rates.add_metric([each.provider], rate)
        yield rates

    def _of_sending(self, now: datetime) -> Iterator[Metric]:
        due_at = self._site.ledger.next_due_at()
        late = max(0.0, (now - due_at).total_seconds()) if due_at else 0.0
        yield GaugeMetricFamily("newsletter_oldest_due_seconds", "For how long the oldest has been due.", value=late)
        yield GaugeMetricFamily(
            "newsletter_in_flight", "Begun and not answered, by anybody.", value=self._site.ledger.in_flight()
        )
        attempts = CounterMetricFamily(
            "newsletter_attempts", "Attempts of this process by outcome.", labels=["outcome"]
        )
        for state, many in self._site.dispatch.attempts.items():
            attempts.add_metric([state], many)
        relays = GaugeMetricFamily("newsletter_relay_up", "0 while this process has paused it.", labels=["relay"])
        for relay in self._site.settings.relays:
            relays.add_metric([relay.name], relay.name not in self._site.dispatch.unfit)
        yield from (attempts, relays)

    def _of_feeds(self) -> Iterator[Metric]:
        counts, failing = self._feeds.get()
        states = GaugeMetricFamily("newsletter_feeds", "Feeds by state.", labels=["state"])
        for state in FeedState:
            states.add_metric([state], counts[state])
        yield states
        yield GaugeMetricFamily("newsletter_feeds_failing", "Feeds whose last poll failed.", value=failing)

    def _count_feeds(self) -> tuple[Counter[FeedState], int]:
        counts, failing = Counter[FeedState](), 0
        for each in self._site.feeds.each_health():
            counts[each.state] += 1
            failing += each.failures > 0
        return counts, failing

    def _of_slots(self) -> Iterator[Metric]:
        last = GaugeMetricFamily(
            "newsletter_last_slot_timestamp_seconds", "When a digest was last due.", labels=["digest"]
        )
        for digest in self._site.digests():
            if (slot := self._site.slots.last(digest.id)) is not None:
                last.add_metric([digest.id], slot.due_at.timestamp())
        yield last

    def _of_store(self) -> Iterator[Metric]:
        people = GaugeMetricFamily("newsletter_subscriptions", "Subscriptions by state.", labels=["list", "state"])
        for (list_id, state), many in self._subscriptions.get().items():
            people.add_metric([list_id, state], many)
        yield people
        yield GaugeMetricFamily("newsletter_store_bytes", "The size of the database.", value=self._size.get())


def metrics_page(site: Site) -> Callable[[], bytes]:
    """A function that makes the page, in Prometheus' text format; it asks the store, so it belongs into a thread."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Metrics(site))
    return lambda: generate_latest(registry)
