from datetime import timedelta

import pytest

from newsletter.errors import MoveError
from newsletter.model.delivery import DeliveryState, LedgerKind
from newsletter.model.edition import EditionState
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
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


def test_an_outcome_that_caught_up_with_its_beginning_is_kept(store: Store) -> None:
    edition = frozen(store, 40)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger)
        both = [(ledger.begin(one, now=NOW), ledger.record(outcome(one), now=NOW)) for one in claimed]
        assert all(begun.result(30) and kept.result(30) for begun, kept in both)
    assert Editions(store).report(edition).sent == 40
