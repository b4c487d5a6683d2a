from datetime import UTC, datetime, timedelta

import pytest

from newsletter.errors import NotFoundError
from newsletter.model.message import LetterKind
from newsletter.model.subscriber import AddressMove, Departure, Newcomer, SubscriptionState
from newsletter.store.address_changes import AddressChanges
from newsletter.store.departures import Departures
from newsletter.store.engine import Store
from newsletter.store.keys import AddressKeys
from newsletter.store.ledger import Ledger
from newsletter.store.ports import Departed
from newsletter.store.subscribers import Subscribers
from tests.store.samples import begin, claim_all

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
KEYS = AddressKeys(secret=b"a key for tests")
OLD, NEW = "ann@example.org", "Ann@New.example"
FROM, TO = LetterKind.MOVE_FROM, LetterKind.MOVE_TO


@pytest.fixture
def people(store: Store) -> Subscribers:
    people = Subscribers(store, keys=KEYS)
    people.add([Newcomer(address=OLD, lists=("brief",))], confirmed=True, source="import", text="I agree", now=NOW)
    return people


@pytest.fixture
def changes(store: Store) -> AddressChanges:
    return AddressChanges(store, keys=KEYS)


def _ask(people: Subscribers, changes: AddressChanges, address: str = NEW) -> int:
    return changes.ask(people.person(OLD).subscriptions[0].id, address, now=NOW)


def _confirm(changes: AddressChanges, wish: int, *sides: LetterKind) -> list[AddressMove]:
    return [changes.confirm(wish, side, text="Yes", token="t", now=NOW) for side in sides]


@pytest.mark.parametrize("sides", [(FROM, TO), (TO, FROM)])
def test_both_letters_go_out_and_both_are_needed_in_whatever_order(
    people: Subscribers, changes: AddressChanges, store: Store, sides: tuple[LetterKind, LetterKind]
) -> None:
    wish = _ask(people, changes)
    with Ledger(store, hashes_of=KEYS.hashes_of) as ledger:
        claimed = claim_all(ledger)
        assert {one.batch: (one.address, one.change_id) for one in claimed} == {
            "move-from/brief": (OLD, wish),
            "move-to/brief": (NEW, wish),
        }
        assert begin(ledger, claimed) == [True, True]
    assert changes.pending(wish, now=NOW) == people.person(OLD).subscriber.id

    assert _confirm(changes, wish, sides[0], sides[0], sides[1], sides[1]) == [
        AddressMove.WAITS,
        AddressMove.WAITS,
        AddressMove.DONE,
        AddressMove.OVER,
    ]

    person = people.person("ann@new.example")
    assert (person.subscriber.address, person.subscriptions[0].state) == (NEW, SubscriptionState.ACTIVE)
    assert [(each.source, each.text) for each in person.consents] == [
        ("import", "I agree"),
        ("change of address", "Yes"),
    ]
    assert changes.pending(wish, now=NOW) is None


def test_letters_of_a_wish_that_is_over_are_not_begun_and_not_claimed(
    people: Subscribers, changes: AddressChanges, store: Store
) -> None:
    _ask(people, changes)
    with Ledger(store, hashes_of=KEYS.hashes_of) as ledger:
        claimed = claim_all(ledger)
        second = _ask(people, changes, "other@example.org")
        assert begin(ledger, claimed) == [False, False]
        assert {one.change_id for one in claim_all(ledger)} == {second}


def test_nobody_gets_an_address_that_is_another_persons_or_suppressed(
    people: Subscribers, changes: AddressChanges
) -> None:
    people.add([Newcomer(address=NEW, lists=("brief",))], confirmed=True, source="import", text="", now=NOW)
    assert _confirm(changes, _ask(people, changes), FROM, TO)[-1] is AddressMove.TAKEN
    people.suppress("never@example.org", reason="complained", now=NOW)
    assert _confirm(changes, _ask(people, changes, "never@example.org"), FROM, TO)[-1] is AddressMove.OVER
    assert people.by_address(OLD) is not None


def test_a_wish_ends_with_its_week_and_is_only_somebodys(changes: AddressChanges, people: Subscribers) -> None:
    wish = _ask(people, changes)
    assert changes.pending(wish, now=NOW + timedelta(days=6)) is not None
    assert changes.pending(wish, now=NOW + timedelta(days=7)) is None
    assert changes.confirm(wish, FROM, text="", token="", now=NOW + timedelta(days=7)) is AddressMove.OVER
    assert changes.pending(99, now=NOW) is None
    with pytest.raises(NotFoundError):
        changes.ask(99, NEW, now=NOW)


def test_reasons_for_leaving_are_counted_by_month(store: Store) -> None:
    departures = Departures(store)
    for days, reason, words in ((0, Departure.OTHER, "Too long"), (1, Departure.OTHER, ""), (40, Departure.OTHER, "")):
        departures.note("brief", reason, words=words, now=NOW + timedelta(days=days))
    assert departures.listed() == (
        Departed(list_id="brief", month="2026-11", reason=Departure.OTHER, many=2, words=("Too long",)),
        Departed(list_id="brief", month="2027-01", reason=Departure.OTHER, many=1),
    )
