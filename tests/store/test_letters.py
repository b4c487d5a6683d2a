import pytest

from newsletter.errors import StoreError
from newsletter.model.delivery import DeliveryState, LedgerKind
from newsletter.model.message import LetterKind
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.engine import Store
from newsletter.store.letters import Letters, queue_letter, queue_letters
from tests.store.samples import (
    LATER,
    NOW,
    add_people,
    begin,
    claim_all,
    deliver,
    frozen,
    open_ledger,
    set_subscription,
)

_GOES_TO = {
    LetterKind.CONFIRMATION: SubscriptionState.PENDING,
    LetterKind.WELCOME: SubscriptionState.ACTIVE,
    LetterKind.GOODBYE: SubscriptionState.LEFT,
}


def test_a_letter_is_queued_once_for_its_key(store: Store) -> None:
    letters = Letters(store)
    one, two = add_people(store, 2)
    assert letters.enqueue(LetterKind.WELCOME, one, key="welcome-1", now=NOW)
    assert not letters.enqueue(LetterKind.WELCOME, one, key="welcome-1", now=NOW)
    with store.write() as connection:
        wanted = [(one, "welcome-1", NOW), (two, "welcome-2", NOW), (one, "welcome-3", NOW)]
        assert queue_letters(connection, LetterKind.WELCOME, wanted, now=NOW) == 2
        assert queue_letters(connection, LetterKind.WELCOME, [], now=NOW) == 0
    with open_ledger(store) as ledger:
        assert ledger.totals(LedgerKind.LETTER)[DeliveryState.QUEUED] == 3


def _queue_a_welcome_and_fail(store: Store, subscription: int) -> None:
    with store.write() as connection:
        queue_letter(connection, LetterKind.WELCOME, subscription, key="welcome-1", now=NOW)
        connection.exec_driver_sql("SELECT * FROM nowhere")


def test_a_letter_queued_in_a_transaction_that_fails_is_not_queued(store: Store) -> None:
    (one,) = add_people(store, 1)
    with pytest.raises(StoreError):
        _queue_a_welcome_and_fail(store, one)
    assert Letters(store).enqueue(LetterKind.WELCOME, one, key="welcome-1", now=NOW)


@pytest.mark.parametrize("kind", _GOES_TO)
def test_a_letter_goes_to_whom_it_fits(store: Store, kind: LetterKind) -> None:
    states = tuple(SubscriptionState)
    subscriptions = dict(zip(add_people(store, len(states)), states, strict=True))
    for subscription, state in subscriptions.items():
        set_subscription(store, subscription, state)
        Letters(store).enqueue(kind, subscription, key=f"{subscription}", now=NOW)
    with open_ledger(store) as ledger:
        (claimed,) = claim_all(ledger)
        assert subscriptions[claimed.subscription_id] is _GOES_TO[kind]
        assert (claimed.ledger, claimed.batch) == (LedgerKind.LETTER, f"{kind}/brief")
        assert ledger.totals(LedgerKind.LETTER)[DeliveryState.SUPPRESSED] == 4


def test_letters_come_before_editions(store: Store) -> None:
    frozen(store, 3)
    (one,) = add_people(store, 1, list_id="other")
    Letters(store).enqueue(LetterKind.WELCOME, one, key="welcome", now=NOW)
    with open_ledger(store) as ledger:
        assert [each.ledger for each in claim_all(ledger, limit=2)] == [LedgerKind.LETTER, LedgerKind.EDITION]


def test_a_letter_is_not_for_who_asks_for_one_edition(store: Store) -> None:
    edition = frozen(store, 1)
    (one,) = add_people(store, 1, list_id="other")
    Letters(store).enqueue(LetterKind.WELCOME, one, key="welcome", now=NOW)
    with open_ledger(store) as ledger:
        claimed = ledger.claim(owner="one", limit=9, now=NOW, lease=LATER - NOW, edition_id=edition)
        assert [each.batch for each in claimed] == [edition]


def test_a_welcome_is_not_begun_when_the_person_has_left_since(store: Store) -> None:
    (one,) = add_people(store, 1)
    Letters(store).enqueue(LetterKind.WELCOME, one, key="welcome", now=NOW)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger)
        set_subscription(store, one, SubscriptionState.LEFT)
        assert begin(ledger, claimed) == [False]
        assert claim_all(ledger) == ()
        assert ledger.totals(LedgerKind.LETTER)[DeliveryState.SUPPRESSED] == 1


def test_letters_are_begun_retried_and_settled_like_deliveries(store: Store) -> None:
    one, two = add_people(store, 2)
    for subscription in (one, two):
        Letters(store).enqueue(LetterKind.WELCOME, subscription, key=f"welcome-{subscription}", now=NOW)
    with open_ledger(store) as ledger:
        first, second = claim_all(ledger)
        assert deliver(ledger, [first]) == [True]
        assert deliver(ledger, [second], DeliveryState.DEFERRED) == [True]
        assert ledger.next_due_at() == LATER
        (again,) = claim_all(ledger, now=LATER)
        assert (again.id, again.attempts) == (second.id, 1)
        begin(ledger, [again], now=LATER)
        assert ledger.in_flight() == 1
        assert ledger.recover(now=LATER, alone=True) == (1, 0)
        assert ledger.requeue_unknown(now=LATER) == 1
        assert [each.id for each in claim_all(ledger, now=LATER)] == [second.id]
