"""Leases that run out, workers that die, and editions stopped while they are sent."""

from datetime import timedelta

from newsletter.model.delivery import DeliveryState, LedgerKind
from newsletter.model.edition import EditionState
from newsletter.model.message import LetterKind
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.ledger import STOPPED, Ledger
from newsletter.store.letters import Letters
from tests.store.samples import (
    LATER,
    LEASE,
    NOW,
    add_people,
    begin,
    claim_all,
    deliver,
    frozen,
    hashes_of,
    open_ledger,
    outcome,
    record,
)

AFTER_LEASE = NOW + LEASE + timedelta(seconds=1)


def test_a_worker_whose_lease_ran_out_begins_nothing(store: Store) -> None:
    frozen(store, 1)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger)
        assert begin(ledger, claimed, now=AFTER_LEASE) == [False]


def test_a_zombie_cannot_write_over_its_successor(store: Store) -> None:
    frozen(store, 2)
    with open_ledger(store) as old, open_ledger(store) as new:
        first = claim_all(old, owner="old")
        second = claim_all(new, owner="new", now=AFTER_LEASE)
        assert [each.id for each in first] == [each.id for each in second]
        assert begin(old, first[:1], now=AFTER_LEASE) == [False]
        assert begin(new, second, now=AFTER_LEASE) == [True, True]
        assert record(old, [outcome(each) for each in first], now=AFTER_LEASE) == [False, False]
        assert record(new, [outcome(each) for each in second], now=AFTER_LEASE) == [True, True]


def test_a_dead_workers_rows_become_unknown_or_go_back(store: Store) -> None:
    edition = frozen(store, 5)
    ledger = open_ledger(store)
    claimed = claim_all(ledger, limit=4)
    begin(ledger, claimed[:2])
    record(ledger, [outcome(claimed[0])])
    ledger.close()
    with open_ledger(store) as after:
        assert after.recover(now=NOW, alone=True) == (1, 2)
        assert after.recover(now=NOW, alone=True) == (0, 0)
        assert len(claim_all(after)) == 3
    report = Editions(store).report(edition)
    assert (report.sent, report.unknown, report.queued) == (1, 1, 3)
    assert report.reasons == ((DeliveryState.UNKNOWN, STOPPED, 1),)


def test_where_others_work_too_only_leases_that_ran_out_are_a_dead_workers(store: Store) -> None:
    frozen(store, 3)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger, limit=2)
        begin(ledger, claimed[:1])
        assert ledger.recover(now=NOW, alone=False) == (0, 0)
        # What was begun has until the server must have answered.
        assert ledger.recover(now=AFTER_LEASE, alone=False) == (0, 1)
        assert ledger.recover(now=LATER, alone=False) == (1, 0)


def test_what_a_clock_far_ahead_put_off_or_held_is_due_again_for_those_that_are_right(store: Store) -> None:
    ahead, edition = NOW + timedelta(days=400), frozen(store, 3)
    add_people(store, 1, first=3)
    with open_ledger(store) as ledger:
        letter = Letters(store).enqueue(LetterKind.WELCOME, 4, key="welcome", now=NOW)
        assert letter
        first, *claimed = claim_all(ledger, now=ahead)
        assert first.ledger is LedgerKind.LETTER
        begin(ledger, [first, *claimed[:2]], now=ahead)
        put_off = [outcome(one, DeliveryState.DEFERRED, due_at=ahead + LEASE) for one in (first, claimed[0])]
        record(ledger, put_off, now=ahead)
        assert claim_all(ledger, now=LATER) == ()
        assert ledger.recover(now=LATER, alone=False) == (1, 3)
        again = claim_all(ledger, now=LATER)
    assert {(one.ledger, one.id) for one in again} == {(one.ledger, one.id) for one in (first, claimed[0], claimed[2])}
    assert Editions(store).report(edition).unknown == 1


def test_what_waits_as_long_as_it_may_is_left_alone(store: Store) -> None:
    frozen(store, 1)
    with Ledger(store, hashes_of=hashes_of, longest_wait=timedelta(days=2)) as ledger:
        claimed = claim_all(ledger)
        begin(ledger, claimed)
        record(ledger, [outcome(claimed[0], DeliveryState.DEFERRED, due_at=NOW + timedelta(days=2.2))])
        assert ledger.recover(now=NOW, alone=False) == (0, 0)
        assert claim_all(ledger, now=NOW + timedelta(days=2)) == ()
        assert len(claim_all(ledger, now=NOW + timedelta(days=3))) == 1


def test_a_late_answer_settles_what_was_given_up_as_unknown(store: Store) -> None:
    edition = frozen(store, 1)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger)
        begin(ledger, claimed)
        ledger.recover(now=LATER, alone=False)
        assert record(ledger, [outcome(claimed[0])], now=LATER) == [True]
    assert Editions(store).report(edition).sent == 1


def test_a_late_answer_is_not_taken_once_the_delivery_was_queued_again(store: Store) -> None:
    edition = frozen(store, 1)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger)
        begin(ledger, claimed)
        ledger.recover(now=NOW, alone=True)
        assert ledger.requeue_unknown(now=NOW) == 1
        assert record(ledger, [outcome(claimed[0])]) == [False]
    assert Editions(store).report(edition).queued == 1


def test_what_was_not_begun_can_be_given_back(store: Store) -> None:
    frozen(store, 4)
    with open_ledger(store) as ledger:
        mine, others = claim_all(ledger, limit=3), claim_all(ledger, owner="two")
        begin(ledger, mine[:1])
        assert ledger.release("one") == 2
        assert begin(ledger, mine[1:]) == [False, False]
        assert begin(ledger, others) == [True]
        assert {each.id for each in claim_all(ledger)} == {each.id for each in mine[1:]}


def test_pausing_stops_what_was_claimed_and_resuming_lets_it_go_at_once(store: Store) -> None:
    edition = frozen(store, 3)
    editions = Editions(store)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger)
        begin(ledger, claimed[:1])
        editions.move(edition, EditionState.PAUSED, now=NOW)
        assert begin(ledger, claimed[1:]) == [False, False]
        assert record(ledger, [outcome(claimed[0])]) == [True]
        assert claim_all(ledger) == ()
        editions.move(edition, EditionState.APPROVED, now=NOW)
        assert deliver(ledger, claim_all(ledger)) == [True, True]
    assert editions.report(edition).sent == 3


def test_cancelling_stops_what_was_claimed_and_lets_what_was_begun_finish(store: Store) -> None:
    edition = frozen(store, 3)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger, limit=2)
        begin(ledger, claimed[:1])
        Editions(store).move(edition, EditionState.CANCELLED, now=NOW)
        assert begin(ledger, claimed[1:]) == [False]
        assert record(ledger, [outcome(each) for each in claimed]) == [True, False]
        assert claim_all(ledger) == ()
    report = Editions(store).report(edition)
    assert (report.sent, report.suppressed) == (1, 2)
