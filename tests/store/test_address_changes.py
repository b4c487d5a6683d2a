from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select

from newsletter.errors import NotFoundError
from newsletter.model.blame import Blame
from newsletter.model.delivery import DeliveryState
from newsletter.model.message import LetterKind
from newsletter.model.subscriber import AddressMove, Departure, Newcomer, SubscriptionState
from newsletter.store.address_changes import AddressChanges
from newsletter.store.departures import Departures
from newsletter.store.engine import Store
from newsletter.store.keys import AddressKeys
from newsletter.store.ledger import Ledger
from newsletter.store.ports import Departed
from newsletter.store.subscribers import Subscribers
from newsletter.store.tables import AddressChangeRow, Base, TroubleRow
from tests.store.samples import add_items, begin, claim_all, draft_of, freeze, outcome, record

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
    assert people.person(OLD).wanted_address == NEW

    assert _confirm(changes, wish, sides[0], sides[0], sides[1], sides[1]) == [
        AddressMove.WAITS,
        AddressMove.WAITS,
        AddressMove.DONE,
        AddressMove.OVER,
    ]

    person = people.person("ann@new.example")
    assert (person.subscriber.address, person.subscriptions[0].state) == (NEW, SubscriptionState.ACTIVE)
    assert person.wanted_address is None
    assert [(each.source, each.text) for each in person.consents] == [
        ("import", "I agree"),
        ("change of address", "Yes"),
    ]
    assert changes.pending(wish, now=NOW) is None


def test_the_old_address_stays_nowhere_and_its_troubles_are_not_the_new_ones(
    people: Subscribers, changes: AddressChanges, store: Store
) -> None:
    people.add([Newcomer(address=OLD, lists=("weekly",))], confirmed=True, source=f"from {OLD}", text=OLD, now=NOW)
    with store.write() as connection:
        connection.execute(insert(TroubleRow).values(subscriber_id=1, score=3.9, since=NOW, at=NOW))

    assert _confirm(changes, _ask(people, changes), FROM, TO)[-1] is AddressMove.DONE

    moved = people.person(NEW)
    assert [(each.source, each.text) for each in moved.consents][1] == ("from [address]", "[address]")
    assert moved.trouble is None
    with store.read() as connection:
        rows = [repr(row) for table in Base.metadata.tables.values() for row in connection.execute(table.select())]
    assert not [row for row in rows if OLD in row]


@pytest.mark.parametrize("blame", [Blame.ADDRESS_DEAD, Blame.MAILBOX_TROUBLE])
def test_what_failed_at_the_old_address_is_no_fault_of_the_new_one(
    people: Subscribers, changes: AddressChanges, store: Store, blame: Blame
) -> None:
    def fails(number: int, blame: Blame, *, meanwhile: bool = False) -> None:
        at = NOW + timedelta(minutes=number)
        freeze(store, draft_of(add_items(store, 1), edition_id=f"daily-{number}", number=number), now=at)
        (one,) = (one for one in claim_all(ledger, now=at) if one.batch == f"daily-{number}")
        assert begin(ledger, [one], now=at) == [True]
        if meanwhile:
            wish = changes.ask(one.subscription_id, NEW, now=at)
            assert [changes.confirm(wish, side, text="", token="", now=at) for side in (FROM, TO)][-1] == "done"
        failed = replace(outcome(one, DeliveryState.FAILED), blame=blame)
        assert record(ledger, [failed], now=at) == [True]

    with Ledger(store, hashes_of=KEYS.hashes_of) as ledger:
        fails(1, blame, meanwhile=True)
        moved = people.person(NEW)
        assert (moved.subscriptions[0].state, moved.suppression) == (SubscriptionState.ACTIVE, None)
        assert moved.trouble is None
        fails(2, Blame.ADDRESS_DEAD)
        assert people.person(NEW).suppression is not None


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


def test_of_a_wish_nothing_is_kept_after_its_week_done_or_not(
    changes: AddressChanges, people: Subscribers, store: Store
) -> None:
    done = _ask(people, changes)
    for side in (FROM, TO):
        changes.confirm(done, side, text="", token="", now=NOW)
    changes.ask(people.person(NEW).subscriptions[0].id, "another@example.net", now=NOW)

    def kept(days: int) -> int:
        now = NOW + timedelta(days=days)
        people.forget_unconfirmed([], before=now, now=now)
        with store.read() as connection:
            return connection.scalar(select(func.count(AddressChangeRow.id))) or 0

    assert [kept(7), kept(8)] == [2, 0]


def test_reasons_for_leaving_are_counted_by_month(store: Store) -> None:
    departures = Departures(store)
    for days, reason, words in ((0, Departure.OTHER, "Too long"), (1, Departure.OTHER, ""), (40, Departure.OTHER, "")):
        departures.note("brief", reason, words=words, now=NOW + timedelta(days=days))
    assert departures.listed() == (
        Departed(list_id="brief", month="2026-11", reason=Departure.OTHER, many=2, words=("Too long",)),
        Departed(list_id="brief", month="2027-01", reason=Departure.OTHER, many=1),
    )


def test_words_are_kept_for_a_year_and_the_counts_for_good(store: Store) -> None:
    departures = Departures(store)
    for days, words in ((0, "Too long"), (40, "Too short")):
        departures.note("brief", Departure.OTHER, words=words, now=NOW + timedelta(days=days))
    assert departures.prune(now=NOW + timedelta(days=366)) == 0
    assert departures.prune(now=NOW + timedelta(days=366 + 31)) == 1
    assert [(each.month, each.many, each.words) for each in departures.listed()] == [
        ("2026-11", 1, ()),
        ("2027-01", 1, ("Too short",)),
    ]
