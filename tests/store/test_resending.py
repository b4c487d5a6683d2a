"""The operator sends again what did not arrive."""

import pytest

from newsletter.errors import EditionError, NotFoundError
from newsletter.model.delivery import DeliveryState, LedgerKind
from newsletter.model.edition import EditionState
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from tests.store.samples import (
    LATER,
    LEASE,
    NOW,
    begin,
    claim_all,
    deliver,
    frozen,
    open_ledger,
)


def _one_in_each_state(store: Store) -> str:
    edition = frozen(store, 6)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger, limit=5)
        for one, state in zip(
            claimed,
            (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DEFERRED, DeliveryState.UNKNOWN),
            strict=False,
        ):
            deliver(ledger, [one], state, because=state)
        begin(ledger, claimed[4:])
    return edition


@pytest.mark.parametrize("state", [DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNKNOWN])
def test_the_operator_can_send_again_what_did_not_arrive(store: Store, state: DeliveryState) -> None:
    edition = _one_in_each_state(store)
    with open_ledger(store) as ledger:
        ledger.recover(now=NOW, alone=True)
        again = 2 if state is DeliveryState.UNKNOWN else 1
        assert ledger.resend(edition, {state}, now=LATER) == again
        assert Editions(store).report(edition).queued == 1 + again
        claimed = ledger.claim(owner="one", limit=9, now=LATER, lease=LEASE)
        assert sorted(each.queued_at for each in claimed)[-again:] == [LATER] * again


def test_what_a_worker_is_about_to_try_again_is_left_to_it(store: Store) -> None:
    edition = frozen(store, 2)
    with open_ledger(store) as ledger:
        deliver(ledger, claim_all(ledger), DeliveryState.DEFERRED)
        claimed = ledger.claim(owner="one", limit=1, now=LATER, lease=LEASE)
        assert ledger.resend(edition, {DeliveryState.DEFERRED}, now=LATER) == 1
        assert begin(ledger, claimed, now=LATER) == [True]


def test_sending_again_reopens_a_finished_edition(store: Store) -> None:
    edition = frozen(store, 2)
    editions = Editions(store)
    with open_ledger(store) as ledger:
        one, two = claim_all(ledger)
        deliver(ledger, [one])
        deliver(ledger, [two], DeliveryState.FAILED)
        editions.finish(now=NOW)
        assert ledger.resend(edition, {DeliveryState.UNKNOWN}, now=LATER) == 0
        assert editions.get(edition).state is EditionState.FINISHED
        assert ledger.resend(edition, {DeliveryState.FAILED, DeliveryState.UNKNOWN}, now=LATER) == 1
        assert editions.get(edition).state is EditionState.APPROVED
        assert [each.id for each in claim_all(ledger, now=LATER)] == [two.id]


def test_what_arrived_or_is_under_way_is_never_sent_again(store: Store) -> None:
    edition = _one_in_each_state(store)
    with open_ledger(store) as ledger:
        for state in (DeliveryState.SENT, DeliveryState.SENDING, DeliveryState.QUEUED, DeliveryState.SUPPRESSED):
            with pytest.raises(EditionError, match=f"not {state}"):
                ledger.resend(edition, {state, DeliveryState.FAILED}, now=NOW)


def test_a_cancelled_edition_cannot_be_sent_again(store: Store) -> None:
    edition = _one_in_each_state(store)
    Editions(store).move(edition, EditionState.CANCELLED, now=NOW)
    with open_ledger(store) as ledger:
        with pytest.raises(EditionError, match="it is cancelled"):
            ledger.resend(edition, {DeliveryState.FAILED}, now=NOW)
        with pytest.raises(NotFoundError):
            ledger.resend("none-1", {DeliveryState.FAILED}, now=NOW)
        assert ledger.requeue_unknown(now=NOW) == 0


def test_totals_count_every_row(store: Store) -> None:
    _one_in_each_state(store)
    with open_ledger(store) as ledger:
        totals = ledger.totals(LedgerKind.EDITION)
    assert sum(totals.values()) == 6
    assert [state for state, many in totals.items() if many == 0] == [DeliveryState.SUPPRESSED]
