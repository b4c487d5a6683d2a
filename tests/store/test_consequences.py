"""What follows for people when deliveries fail."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from newsletter.model.blame import Blame
from newsletter.model.delivery import Claimed, DeliveryState, Reply, Tried
from newsletter.model.message import LetterKind
from newsletter.model.subscriber import Newcomer, SubscriptionState
from newsletter.model.trouble import Patience
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.keys import AddressKeys
from newsletter.store.ledger import Ledger
from newsletter.store.letters import Letters
from newsletter.store.ports import Added
from newsletter.store.subscribers import Subscribers
from newsletter.store.tables import SuppressionRow, TroubleRow
from tests.store.samples import LATER, LEASE, NOW, add_items, begin, draft_of, freeze, outcome, record

KEYS = AddressKeys(secret=b"a key for tests")
ANN = Newcomer(address="Ann@Example.org", lists=("brief",))
BOB = Newcomer(address="bob@else.example", lists=("brief",))
DEAD = "address dead: no such mailbox [no-such-mailbox]"
FULL = "mailbox trouble: the mailbox is full [mailbox-full]"
DAY = timedelta(days=1)


@pytest.fixture
def people(store: Store) -> Subscribers:
    people = Subscribers(store, keys=KEYS)
    people.add((ANN, BOB), confirmed=True, source="import", text="", now=NOW)
    return people


def open_ledger(store: Store, patience: Patience | None = None) -> Ledger:
    return Ledger(store, hashes_of=KEYS.hashes_of, patience=patience or Patience())


def edition_of(store: Store, number: int = 1, *, now: datetime = NOW) -> str:
    draft = draft_of(add_items(store, 1), edition_id=f"daily-{number}", number=number)
    freeze(store, draft, now=now)
    return draft.id


def to(address: str, claimed: tuple[Claimed, ...]) -> list[Claimed]:
    return [one for one in claimed if one.address == address]


def failed(claimed: Claimed, *, blame: Blame, because: str, text: str = "no such user ann@example.org") -> Tried:
    tried = outcome(claimed, DeliveryState.FAILED, because=because)
    return replace(tried, blame=blame, reply=Reply(code=550, enhanced="5.1.1", text=text))


def claim(ledger: Ledger, *, now: datetime = NOW) -> tuple[Claimed, ...]:
    return ledger.claim(owner="one", limit=100, now=now, lease=LEASE)


def troubled(store: Store, number: int, at: datetime, *, state: DeliveryState = DeliveryState.FAILED) -> None:
    """One more edition, which failed for Ann's full mailbox or reached it; Bob gets his."""
    edition_of(store, number, now=at)
    with open_ledger(store) as ledger:
        for one in claim(ledger, now=at):
            begin(ledger, [one], now=at)
            fails = one.address == ANN.address and state is DeliveryState.FAILED
            tried = failed(one, blame=Blame.MAILBOX_TROUBLE, because=FULL) if fails else outcome(one)
            assert record(ledger, [tried], now=at) == [True]


def state_of(people: Subscribers, address: str) -> SubscriptionState:
    return people.person(address).subscriptions[0].state


def scores(store: Store) -> list[float]:
    with store.read() as connection:
        return list(connection.scalars(select(TroubleRow.score)))


def test_a_dead_address_is_never_mailed_again_and_what_waits_for_it_is_called_off(
    people: Subscribers, store: Store
) -> None:
    editions = [edition_of(store, number) for number in (1, 2, 3)]
    Letters(store).enqueue(LetterKind.WELCOME, people.person(ANN.address).subscriptions[0].id, key="w", now=NOW)
    with open_ledger(store) as ledger:
        first = next(one for one in to(ANN.address, claim(ledger)) if one.batch == editions[0])
        begin(ledger, [first])
        assert record(ledger, [failed(first, blame=Blame.ADDRESS_DEAD, because=DEAD)]) == [True]
        totals = [Editions(store).report(each) for each in editions]
        assert claim(ledger, now=LATER)[0].address == BOB.address
    assert [(each.failed, each.suppressed, each.queued) for each in totals] == [(1, 0, 1), (0, 1, 1), (0, 1, 1)]
    assert people.is_suppressed("ANN@example.org")
    assert not people.is_suppressed(BOB.address)
    person = people.person(ANN.address)
    assert person.subscriptions[0].state is SubscriptionState.SUPPRESSED
    assert (person.consents[-1].source, person.consents[-1].remark) == ("bounce", DEAD)
    assert people.add((ANN,), confirmed=True, source="import", text="", now=LATER) == Added(suppressed=1)


def test_the_evidence_is_kept_without_the_address_and_forgotten_with_the_person(
    people: Subscribers, store: Store
) -> None:
    edition_of(store)
    with open_ledger(store) as ledger:
        (mine,) = to(ANN.address, claim(ledger))
        begin(ledger, [mine])
        record(ledger, [failed(mine, blame=Blame.ADDRESS_DEAD, because=DEAD)])
    with store.read() as connection:
        row = connection.execute(select(SuppressionRow.reason, SuppressionRow.evidence)).one()
    assert tuple(row) == (DEAD, f"550 5.1.1 no such user [address] (edition {mine.id}, relay main)")
    people.erase(ANN.address, source="cli", now=LATER)
    with store.read() as connection:
        row = connection.execute(select(SuppressionRow.reason, SuppressionRow.evidence)).one()
    assert tuple(row) == (DEAD, None)


@pytest.mark.parametrize("blame", [Blame.OUR_FAULT, None])
def test_what_is_our_fault_or_nobodys_never_touches_a_subscriber(
    people: Subscribers, store: Store, blame: Blame
) -> None:
    edition_of(store)
    with open_ledger(store, Patience(threshold=1, at_least=timedelta(0))) as ledger:
        claimed = claim(ledger)
        begin(ledger, claimed)
        assert all(record(ledger, [failed(one, blame=blame, because="our fault: spam") for one in claimed]))
    assert state_of(people, ANN.address) is state_of(people, BOB.address) is SubscriptionState.ACTIVE
    assert scores(store) == []


def test_a_refusal_that_may_pass_counts_only_when_the_delivery_has_failed(people: Subscribers, store: Store) -> None:
    edition_of(store)
    with open_ledger(store, Patience(threshold=1, at_least=timedelta(0))) as ledger:
        claimed = claim(ledger)
        begin(ledger, claimed)
        later = [
            replace(outcome(one, DeliveryState.DEFERRED, due_at=LATER), blame=Blame.MAILBOX_TROUBLE) for one in claimed
        ]
        assert all(record(ledger, later))
    assert scores(store) == []
    assert state_of(people, ANN.address) is SubscriptionState.ACTIVE


def test_who_reports_too_late_brings_no_consequence(people: Subscribers, store: Store) -> None:
    edition_of(store)
    with open_ledger(store) as ledger:
        (mine,) = to(ANN.address, claim(ledger))
        begin(ledger, [mine])
        assert record(ledger, [outcome(mine)]) == [True]
        assert record(ledger, [failed(mine, blame=Blame.ADDRESS_DEAD, because=DEAD)]) == [False]
    assert not people.is_suppressed(ANN.address)


def test_trouble_that_goes_on_suppresses_after_two_weeks_and_not_before(people: Subscribers, store: Store) -> None:
    for day in range(14):
        troubled(store, day + 1, NOW + day * DAY)
    assert state_of(people, ANN.address) is SubscriptionState.ACTIVE
    troubled(store, 15, NOW + 14 * DAY)
    assert state_of(people, ANN.address) is SubscriptionState.SUPPRESSED
    assert people.person(ANN.address).consents[-1].remark == f"{FULL}, again and again for 14 days"
    assert state_of(people, BOB.address) is SubscriptionState.ACTIVE


def test_a_mail_that_arrived_in_between_lets_trouble_begin_anew(people: Subscribers, store: Store) -> None:
    for day in range(12):
        troubled(store, day + 1, NOW + day * DAY)
    troubled(store, 13, NOW + 12 * DAY, state=DeliveryState.SENT)
    troubled(store, 14, NOW + 18 * DAY)
    assert scores(store) == [1.0]
    assert state_of(people, ANN.address) is SubscriptionState.ACTIVE


def test_what_a_relay_took_only_lately_may_still_come_back_and_proves_nothing(
    people: Subscribers, store: Store
) -> None:
    for day in range(13):
        troubled(store, day + 1, NOW + day * DAY)
    troubled(store, 14, NOW + 13 * DAY, state=DeliveryState.SENT)
    troubled(store, 15, NOW + 14 * DAY)
    assert state_of(people, ANN.address) is SubscriptionState.SUPPRESSED


def test_an_arrival_costs_the_table_of_troubles_nothing(people: Subscribers, store: Store) -> None:
    troubled(store, 1, NOW, state=DeliveryState.SENT)
    assert scores(store) == []


def test_trouble_of_long_ago_is_dropped(people: Subscribers, store: Store) -> None:
    troubled(store, 1, NOW)
    with open_ledger(store) as ledger:
        assert ledger.prune(now=NOW + 100 * DAY) == 0
        assert ledger.prune(now=NOW + 300 * DAY) == 1
    assert scores(store) == []


def test_a_dead_workers_journal_has_the_same_consequences(people: Subscribers, store: Store) -> None:
    edition_of(store)
    with open_ledger(store) as ledger:
        (mine,) = to(ANN.address, claim(ledger))
        begin(ledger, [mine])
        answered = [failed(mine, blame=Blame.ADDRESS_DEAD, because=DEAD)]
        assert ledger.settle("one", answered=answered, started=(), whole=True, now=NOW)[0] == 1
    assert people.is_suppressed(ANN.address)
