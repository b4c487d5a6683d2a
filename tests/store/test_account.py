"""A thousand subscribers and ten editions, with all that can happen to them: the account is exact on both databases."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import pytest

from newsletter.model.delivery import Claimed, DeliveryState, LedgerKind, Report, Tried
from newsletter.model.edition import EditionState
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.ledger import Ledger
from tests.made import made_store
from tests.store.samples import (
    LEASE,
    NOW,
    add_items,
    add_people,
    begin,
    draft_of,
    freeze,
    open_ledger,
    outcome,
    record,
    set_subscription,
    suppress,
)

_PEOPLE, _EDITIONS = 1000, 10
_HOUR = timedelta(hours=1)
_CRASHED = None
_FATES = (
    *[DeliveryState.SENT] * 12,
    *[DeliveryState.DEFERRED] * 3,
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
    DeliveryState.QUEUED,
    _CRASHED,
)


def _fate(claimed: Claimed, round_: int) -> DeliveryState | None:
    """What becomes of an attempt: decided by who and what, not by ids or order, which databases choose."""
    who = f"{claimed.batch} {claimed.address} {claimed.attempts} {round_}"
    return _FATES[blake2b(who.encode(), digest_size=2).digest()[0] % len(_FATES)]


def _send_all(ledger: Ledger, *, round_: int, now: datetime) -> None:
    """One attempt at everything due, by a worker that dies at the end."""
    claimed: list[Claimed] = []
    while batch := ledger.claim(owner=f"worker-{round_}", limit=777, now=now, lease=LEASE):
        claimed += batch
    assert all(begin(ledger, claimed, now=now))
    tried = [_outcome(one, fate, now) for one in claimed if (fate := _fate(one, round_)) is not _CRASHED]
    assert all(record(ledger, tried, now=now))
    assert ledger.in_flight() == len(claimed) - len(tried)
    ledger.recover(now=now, alone=True)


def _outcome(claimed: Claimed, fate: DeliveryState, now: datetime) -> Tried:
    counts = fate is not DeliveryState.QUEUED
    return outcome(claimed, fate, because=f"because of {fate}", due_at=now + _HOUR, counts=counts)


def _reports(store: Store) -> Sequence[Report]:
    people = add_people(store, _PEOPLE)
    editions = Editions(store)
    ids = [f"daily-{number}" for number in range(_EDITIONS)]
    for number, (edition, item) in enumerate(zip(ids, add_items(store, _EDITIONS), strict=True)):
        freeze(store, draft_of([item], edition_id=edition, number=number))
    editions.move(ids[9], EditionState.CANCELLED, now=NOW, because="a test")
    with open_ledger(store) as ledger:
        _send_all(ledger, round_=1, now=NOW)
        editions.move(ids[8], EditionState.CANCELLED, now=NOW)
        editions.move(ids[7], EditionState.PAUSED, now=NOW)
        for subscription in people[::50]:
            set_subscription(store, subscription, SubscriptionState.LEFT)
        for number in range(7, _PEOPLE, 100):
            suppress(store, f"reader-{number}@brief.example", reason="no such mailbox")
        _send_all(ledger, round_=2, now=NOW + _HOUR)
        ledger.resend(ids[6], {DeliveryState.FAILED, DeliveryState.UNKNOWN}, now=NOW + _HOUR)
        ledger.requeue_unknown(now=NOW + _HOUR)
        for round_ in range(3, 8):
            _send_all(ledger, round_=round_, now=NOW + round_ * _HOUR)
        editions.finish(now=NOW + 8 * _HOUR)
        totals = ledger.totals(LedgerKind.EDITION)
    reports = [editions.report(edition) for edition in ids]
    assert {state: sum(getattr(report, state) for report in reports) for state in DeliveryState} == totals
    return reports


def _adds_up(report: Report) -> bool:
    many: int = sum(getattr(report, state) for state in DeliveryState)
    return many == report.recipients == _PEOPLE


@pytest.mark.slow
@pytest.mark.postgres
def test_both_databases_give_the_same_account_and_it_adds_up(tmp_path: Path, fresh_postgres_url: str) -> None:
    with made_store(tmp_path) as store:
        on_sqlite = _reports(store)
    with Store.open(fresh_postgres_url, site_dir=tmp_path) as store:
        on_postgresql = _reports(store)
    assert on_sqlite == on_postgresql
    assert all(_adds_up(report) for report in on_sqlite)
    assert on_sqlite[0].sent > _PEOPLE / 2
    assert on_sqlite[0].failed > on_sqlite[6].failed
    assert (on_sqlite[9].suppressed, on_sqlite[9].sent) == (_PEOPLE, 0)
