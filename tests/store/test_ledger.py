from datetime import timedelta

import pytest

from newsletter.errors import EditionError, MoveError, NotFoundError
from newsletter.model.delivery import DeliveryState, LedgerKind
from newsletter.model.edition import EditionState
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.ledger import STOPPED
from tests.store.samples import (
    LATER,
    LEASE,
    NOW,
    add_items,
    add_people,
    begin,
    claim_all,
    deliver,
    draft_of,
    freeze,
    frozen,
    open_ledger,
    outcome,
    record,
    set_subscription,
    suppress,
)

AFTER_LEASE = NOW + LEASE + timedelta(seconds=1)


def test_a_claimed_row_has_all_that_its_message_needs(store: Store) -> None:
    edition = frozen(store, 1)
    with open_ledger(store) as ledger:
        (claimed,) = claim_all(ledger)
    assert (claimed.ledger, claimed.batch, claimed.variant) == (LedgerKind.EDITION, edition, "")
    assert (claimed.address, claimed.name, claimed.list_id) == ("reader-0@brief.example", "Reader 0", "brief")
    assert claimed.fields == (("number", "0"),)
    assert (claimed.attempts, claimed.queued_at) == (0, NOW)


def test_a_claim_takes_no_more_than_it_may_and_nothing_twice(store: Store) -> None:
    frozen(store, 5)
    with open_ledger(store) as ledger:
        batches = [claim_all(ledger, owner=owner, limit=2) for owner in ("one", "two", "one", "two")]
    assert [len(batch) for batch in batches] == [2, 2, 1, 0]
    assert len({claimed.id for batch in batches for claimed in batch}) == 5


@pytest.mark.parametrize("state", [EditionState.AWAITING, EditionState.PAUSED, EditionState.CANCELLED])
def test_only_approved_editions_are_claimed(store: Store, state: EditionState) -> None:
    add_people(store, 2)
    draft = draft_of(add_items(store, 1))
    freeze(store, draft, state=state)
    with open_ledger(store) as ledger:
        assert claim_all(ledger) == ()
        assert ledger.next_due_at() is None


def test_a_small_edition_is_not_stuck_behind_a_large_one(store: Store) -> None:
    large, small, middling = (
        frozen(store, many, list_id=name) for many, name in ((50, "large"), (3, "small"), (9, "mid"))
    )
    with open_ledger(store) as ledger:
        batches = [claimed.batch for claimed in claim_all(ledger, limit=30)]
    assert {batch: batches.count(batch) for batch in batches} == {large: 18, small: 3, middling: 9}


def test_one_edition_can_be_asked_for(store: Store) -> None:
    frozen(store, 3)
    other = frozen(store, 2, list_id="other")
    with open_ledger(store) as ledger:
        claimed = ledger.claim(owner="one", limit=9, now=NOW, lease=LEASE, edition_id=other)
        assert [each.batch for each in claimed] == [other, other]
        begin(ledger, claimed[:1])
        assert [ledger.in_flight(), ledger.in_flight(edition_id=other)] == [1, 1]
        assert ledger.in_flight(edition_id="brief-1") == 0
        assert ledger.next_due_at(edition_id="brief-1") == NOW


def test_who_left_between_freezing_and_claiming_is_not_mailed(store: Store) -> None:
    people = add_people(store, 5)
    edition = draft_of(add_items(store, 1))
    freeze(store, edition)
    for subscription, state in zip(people, SubscriptionState, strict=True):
        set_subscription(store, subscription, state)
    with open_ledger(store) as ledger:
        assert [each.subscription_id for each in claim_all(ledger)] == [people[1]]
    report = Editions(store).report(edition.id)
    assert (report.queued, report.suppressed) == (1, 4)
    assert {because for _, because, _ in report.reasons} == {
        "the subscription is not confirmed",
        "left the list",
        "the address is suppressed",
        "the person was erased",
    }


def test_an_address_that_must_never_be_mailed_is_not(store: Store) -> None:
    edition = frozen(store, 3)
    suppress(store, "reader-1@brief.example", reason="complained: reader-1@brief.example")
    with open_ledger(store) as ledger:
        assert {each.address for each in claim_all(ledger)} == {"reader-0@brief.example", "reader-2@brief.example"}
    assert Editions(store).report(edition).reasons == (
        (DeliveryState.SUPPRESSED, "the address is suppressed: complained: [address]", 1),
    )


def test_a_claim_goes_on_past_those_who_are_turned_away(store: Store) -> None:
    people = add_people(store, 6)
    freeze(store, draft_of(add_items(store, 1)))
    for subscription in people[:4]:
        set_subscription(store, subscription, SubscriptionState.LEFT)
    with open_ledger(store) as ledger:
        assert [each.subscription_id for each in claim_all(ledger, limit=2)] == list(people[4:])


def test_who_left_between_claiming_and_beginning_is_not_mailed(store: Store) -> None:
    people = add_people(store, 2)
    edition = draft_of(add_items(store, 1))
    freeze(store, edition)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger)
        set_subscription(store, people[0], SubscriptionState.LEFT)
        assert begin(ledger, claimed) == [False, True]
        assert claim_all(ledger) == ()
    assert Editions(store).report(edition.id).suppressed == 1


def test_a_delivery_begins_once(store: Store) -> None:
    frozen(store, 1)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger)
        assert begin(ledger, claimed * 3) == [True, False, False]
        assert begin(ledger, claimed) == [False]
        assert ledger.in_flight() == 1


def test_an_outcome_is_recorded_once(store: Store) -> None:
    frozen(store, 1)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger)
        begin(ledger, claimed)
        assert record(ledger, [outcome(each) for each in claimed * 2]) == [True, False]
        assert record(ledger, [outcome(claimed[0], DeliveryState.FAILED)]) == [False]
        assert ledger.totals(LedgerKind.EDITION)[DeliveryState.SENT] == 1


def test_a_deferred_delivery_comes_back_when_it_is_due(store: Store) -> None:
    frozen(store, 2)
    with open_ledger(store) as ledger:
        deliver(ledger, claim_all(ledger, limit=1), DeliveryState.DEFERRED, because="greylisted")
        deliver(ledger, claim_all(ledger))
        assert claim_all(ledger, now=LATER - timedelta(seconds=1)) == ()
        assert ledger.next_due_at() == LATER
        (again,) = claim_all(ledger, now=LATER)
        assert again.attempts == 1
        begin(ledger, [again], now=LATER)
        assert record(ledger, [outcome(again)], now=LATER) == [True]
        assert ledger.next_due_at() is None


def test_an_attempt_that_was_none_is_not_counted(store: Store) -> None:
    edition = frozen(store, 1)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger)
        begin(ledger, claimed)
        back = outcome(claimed[0], DeliveryState.QUEUED, because="the relay was not there", counts=False)
        assert record(ledger, [back]) == [True]
        assert Editions(store).report(edition).queued == 1
        (again,) = claim_all(ledger)
        assert again.attempts == 0


def test_an_attempt_that_was_none_is_put_off_where_it_says_so(store: Store) -> None:
    frozen(store, 1)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger)
        begin(ledger, claimed)
        record(ledger, [outcome(claimed[0], DeliveryState.QUEUED, due_at=LATER, counts=False)])
        assert claim_all(ledger) == ()
        assert ledger.next_due_at() == LATER


def test_a_message_that_cannot_be_made_fails_without_being_begun(store: Store) -> None:
    edition = frozen(store, 1)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger)
        assert record(ledger, [outcome(claimed[0], DeliveryState.FAILED, because="no such variant")]) == [True]
    assert Editions(store).report(edition).failed == 1


def test_an_outcome_that_is_none_is_refused_at_once(store: Store) -> None:
    frozen(store, 1)
    with open_ledger(store) as ledger:
        (claimed,) = claim_all(ledger)
        for state in (DeliveryState.SENDING, DeliveryState.SUPPRESSED):
            with pytest.raises(MoveError):
                ledger.record(outcome(claimed, state), now=NOW)


def test_a_reply_is_kept_short_and_without_addresses(store: Store) -> None:
    frozen(store, 2)
    with open_ledger(store) as ledger:
        one, two = claim_all(ledger)
        begin(ledger, [one, two])
        said = "5.1.1 <reader-0@brief.example>: user=reader-0@brief.example\u2028unknown\x00 " + "x" * 900
        record(ledger, [outcome(one, DeliveryState.FAILED, text=said), outcome(two, text="2.0.0 Ok: queued as 4F")])
    with store.read() as connection:
        failed, sent = connection.exec_driver_sql("SELECT reply FROM deliveries ORDER BY id").scalars()
    assert failed.startswith("5.1.1 <[address]>: [address] unknown xx")
    assert len(failed) <= 500
    assert sent == "2.0.0 Ok: queued as 4F"


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


def test_an_outcome_that_caught_up_with_its_beginning_is_kept(store: Store) -> None:
    edition = frozen(store, 40)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger)
        both = [(ledger.begin(one, now=NOW), ledger.record(outcome(one), now=NOW)) for one in claimed]
        assert all(begun.result(30) and kept.result(30) for begun, kept in both)
    assert Editions(store).report(edition).sent == 40


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
