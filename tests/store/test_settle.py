from collections.abc import Iterator
from datetime import timedelta

import pytest

from newsletter.model.delivery import Claimed, DeliveryKey, DeliveryState, Reply, Tried
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.ledger import Ledger
from tests.store.samples import LEASE, NOW, frozen, open_ledger

AFTER = NOW + timedelta(minutes=1)


@pytest.fixture
def ledger(store: Store) -> Iterator[Ledger]:
    with open_ledger(store) as opened:
        yield opened


def key(claimed: Claimed) -> DeliveryKey:
    return claimed.ledger, claimed.id, claimed.fence


def sent(claimed: Claimed) -> Tried:
    return Tried(
        ledger=claimed.ledger,
        id=claimed.id,
        fence=claimed.fence,
        state=DeliveryState.SENT,
        reply=Reply(code=250),
        because="accepted",
        relay="main",
    )


@pytest.mark.parametrize("whole", [True, False])
def test_a_dead_worker_s_journal_tells_what_was_answered_what_was_started_and_what_was_not(
    store: Store, ledger: Ledger, whole: bool
) -> None:
    edition = frozen(store, 6)
    claimed = ledger.claim(owner="dead", limit=5, now=NOW, lease=LEASE)
    assert ledger.begin_all(claimed[:4], now=NOW).result(30) == (True,) * 4
    accepted, started = claimed[0], claimed[1]

    settled = ledger.settle(
        "dead", answered=[sent(accepted)], started={key(accepted), key(started)}, whole=whole, now=AFTER
    )

    report = Editions(store).report(edition)
    assert settled == ((1, 1, 3) if whole else (1, 3, 1))
    assert (report.sent, report.unknown, report.sending) == (1, 1 if whole else 3, 0)
    again = ledger.claim(owner="next", limit=10, now=AFTER, lease=LEASE)
    assert len(again) == (4 if whole else 2)
    assert {one.attempts for one in again} == {0}


def test_a_journal_says_nothing_about_what_others_have_taken_over(store: Store, ledger: Ledger) -> None:
    edition = frozen(store, 1)
    [old] = ledger.claim(owner="dead", limit=1, now=NOW, lease=LEASE)
    [new] = ledger.claim(owner="next", limit=1, now=NOW + 2 * LEASE, lease=LEASE)
    assert ledger.begin(new, now=NOW + 2 * LEASE).result(30)
    assert ledger.settle("dead", answered=[sent(old)], started={key(old)}, whole=True, now=AFTER) == (0, 0, 0)
    assert Editions(store).report(edition).sending == 1


def test_a_late_journal_turns_a_doubt_into_what_is_known(store: Store, ledger: Ledger) -> None:
    edition = frozen(store, 1)
    [one] = ledger.claim(owner="dead", limit=1, now=NOW, lease=LEASE)
    assert ledger.begin(one, now=NOW).result(30)
    assert ledger.recover(now=NOW, alone=True) == (1, 0)
    assert ledger.settle("dead", answered=[sent(one)], started={key(one)}, whole=True, now=AFTER) == (1, 0, 0)
    assert Editions(store).report(edition).sent == 1


def test_of_several_begun_together_each_is_told_whether_it_is_ours(store: Store, ledger: Ledger) -> None:
    frozen(store, 3)
    claimed = ledger.claim(owner="one", limit=3, now=NOW, lease=LEASE)
    assert ledger.begin(claimed[1], now=NOW).result(30)
    assert ledger.begin_all(claimed, now=NOW).result(30) == (True, False, True)
    assert ledger.record_all([sent(one) for one in claimed], now=NOW).result(30) == (True, True, True)
