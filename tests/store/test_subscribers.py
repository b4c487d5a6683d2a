from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from threading import Barrier, BrokenBarrierError, local

import pytest
from sqlalchemy import insert, select

from newsletter.errors import MoveError, NotFoundError
from newsletter.model.delivery import DeliveryState
from newsletter.model.message import LetterKind
from newsletter.model.subscriber import Newcomer, Subscription, SubscriptionState
from newsletter.store.engine import Store
from newsletter.store.keys import AddressKeys
from newsletter.store.ports import Added
from newsletter.store.subscribers import Subscribers
from newsletter.store.tables import DeliveryRow, EditionRow, LetterRow, SuppressionRow

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANN = Newcomer(address="Ann@Example.org", name="Ann", lists=("brief",), language="ga", fields=(("town", "Cork"),))

PENDING, ACTIVE, LEFT, SUPPRESSED = (
    SubscriptionState.PENDING,
    SubscriptionState.ACTIVE,
    SubscriptionState.LEFT,
    SubscriptionState.SUPPRESSED,
)


@pytest.fixture
def people(store: Store) -> Subscribers:
    return Subscribers(store, keys=AddressKeys(secret=b"a key for tests"))


def _import(people: Subscribers, *newcomers: Newcomer, confirmed: bool = True, now: datetime = NOW) -> Added:
    return people.add(newcomers or (ANN,), confirmed=confirmed, source="import: council", text="I agree", now=now)


def _sign_up(people: Subscribers, newcomer: Newcomer = ANN, *, confirmed: bool = False, now: datetime = NOW) -> Added:
    return people.add([newcomer], confirmed=confirmed, source="web", text="Send it to me", now=now, by_person=True)


def _move(people: Subscribers, subscription: Subscription, after: SubscriptionState, *, now: datetime = NOW) -> bool:
    return people.move(subscription.id, after, source="one-click", text="", now=now)


def _only(people: Subscribers, address: str = "ann@example.org") -> Subscription:
    (subscription,) = people.person(address).subscriptions
    return subscription


def _record(people: Subscribers, address: str = "ann@example.org") -> list[tuple[object, ...]]:
    return [(consent.before, consent.after, consent.source) for consent in people.person(address).consents]


def _letters(store: Store) -> list[tuple[LetterKind, DeliveryState]]:
    with store.read() as connection:
        rows = connection.execute(select(LetterRow.kind, LetterRow.state).order_by(LetterRow.id))
        return [(row.kind, row.state) for row in rows]


def _deliver(store: Store, subscription: Subscription, *states: DeliveryState) -> None:
    """An edition for each state, and its delivery to the subscription in that state."""
    texts = dict.fromkeys(("state_because", "subject", "template_hash", "warnings", "draft"), "")
    instants = dict.fromkeys(("dated_at", "frozen_at", "state_at"), NOW)
    of_list = {"digest_id": subscription.list_id, "list_id": subscription.list_id, "state": "approved"}
    with store.write() as connection:
        for number, state in enumerate(states):
            edition_id = f"{subscription.id}-{number}"
            edition = {"id": edition_id, "slot": edition_id, "number": subscription.id * 100 + number}
            connection.execute(insert(EditionRow).values(edition | of_list | texts | instants))
            connection.execute(
                insert(DeliveryRow).values(
                    edition_id=edition_id,
                    subscriber_id=subscription.subscriber_id,
                    subscription_id=subscription.id,
                    variant="",
                    state=state,
                    due_at=NOW,
                    queued_at=NOW,
                    attempts=0,
                    fence=0,
                )
            )


def test_a_confirmed_import_makes_active_subscriptions_and_writes_to_nobody(people: Subscribers, store: Store) -> None:
    assert _import(people) == Added(added=1)
    person = people.person("ANN@example.ORG")
    found = person.subscriber
    assert (found.address, found.name, found.language, found.fields, found.created_at) == (
        "Ann@Example.org",
        "Ann",
        "ga",
        (("town", "Cork"),),
        NOW,
    )
    assert [(each.list_id, each.state, each.since_at) for each in person.subscriptions] == [("brief", ACTIVE, NOW)]
    (consent,) = person.consents
    assert (consent.list_id, consent.before, consent.after, consent.at, consent.source, consent.text) == (
        "brief",
        None,
        ACTIVE,
        NOW,
        "import: council",
        "I agree",
    )
    assert _letters(store) == []


def test_an_import_without_consent_asks_everybody_to_confirm(people: Subscribers, store: Store) -> None:
    newcomers = [Newcomer(address=f"reader-{number}@example.org", lists=("brief",)) for number in range(3)]
    assert _import(people, *newcomers, confirmed=False) == Added(added=3, pending=3)
    assert people.count("brief", PENDING) == 3
    assert people.count("brief") == 0
    assert _letters(store) == [(LetterKind.CONFIRMATION, DeliveryState.QUEUED)] * 3


def test_the_same_import_again_adds_nobody(people: Subscribers, store: Store) -> None:
    _import(people, confirmed=False)
    assert _import(people, confirmed=False, now=NOW + 2 * HOUR) == Added(known=1)
    assert _record(people) == [(None, PENDING, "import: council")]
    assert len(_letters(store)) == 1


def test_an_address_said_twice_is_one_person(people: Subscribers) -> None:
    again = Newcomer(address="ann@EXAMPLE.org", name="Ann again", lists=("brief", "weekly"))
    assert _import(people, ANN, again) == Added(added=2, known=1)
    assert people.person("ann@example.org").subscriber.name == "Ann"
    assert [(person.address, len(lists)) for person, lists in people.exported()] == [("Ann@Example.org", 2)]


def test_an_import_fills_in_what_is_empty_and_overwrites_nothing(people: Subscribers) -> None:
    _import(people, Newcomer(address="ann@example.org", lists=("brief",), fields=(("town", "Cork"),)))
    _import(people, Newcomer(address="ann@example.org", name="Ann", lists=("brief",), fields=(("town", "Galway"),)))
    _sign_up(people, Newcomer(address="ann@example.org", name="Not Ann", lists=("brief",)))
    found = people.person("ann@example.org").subscriber
    assert (found.name, found.fields) == ("Ann", (("town", "Cork"),))


def test_a_sign_up_puts_no_words_into_the_mouth_of_a_known_person(people: Subscribers) -> None:
    _import(people, Newcomer(address="ann@example.org", lists=("brief",)))
    _sign_up(people)
    assert people.person("ann@example.org").subscriber.name == ""


def test_consent_given_elsewhere_confirms_who_was_waiting(people: Subscribers, store: Store) -> None:
    _import(people, confirmed=False)
    assert _import(people, confirmed=True) == Added(added=1)
    assert _only(people).state is ACTIVE
    assert _record(people) == [(None, PENDING, "import: council"), (PENDING, ACTIVE, "import: council")]


def test_no_import_brings_back_who_has_left(people: Subscribers, store: Store) -> None:
    _import(people)
    _move(people, _only(people), LEFT)
    for confirmed in (True, False):
        assert _import(people, confirmed=confirmed) == Added(left=1)
    assert _only(people).state is LEFT
    assert _letters(store) == [(LetterKind.GOODBYE, DeliveryState.QUEUED)]


@pytest.mark.parametrize("confirmed", [True, False])
def test_who_has_left_comes_back_by_signing_up_and_must_confirm(
    people: Subscribers, store: Store, *, confirmed: bool
) -> None:
    _import(people)
    _move(people, _only(people), LEFT)
    assert _sign_up(people, confirmed=confirmed) == Added(added=1, pending=1)
    assert _only(people).state is PENDING
    assert _record(people)[-1] == (LEFT, PENDING, "web")
    assert _letters(store)[-1] == (LetterKind.CONFIRMATION, DeliveryState.QUEUED)


def test_a_sign_up_without_double_opt_in_is_welcomed(people: Subscribers, store: Store) -> None:
    assert _sign_up(people, confirmed=True) == Added(added=1)
    assert _letters(store) == [(LetterKind.WELCOME, DeliveryState.QUEUED)]


def test_signing_up_again_asks_again_but_once_an_hour(people: Subscribers, store: Store) -> None:
    for minutes in (50, 51, 65, 109, 110, 111):
        _sign_up(people, now=NOW + timedelta(minutes=minutes))
    with store.read() as connection:
        asked_at = connection.scalars(select(LetterRow.queued_at).order_by(LetterRow.id)).all()
    assert asked_at == [NOW + timedelta(minutes=50), NOW + timedelta(minutes=110)]


def test_the_same_sign_up_many_times_at_once_is_one_with_one_letter(people: Subscribers, store: Store) -> None:
    at_once = Barrier(6)
    both = Newcomer(address="ann@example.org", lists=("weekly", "brief"))

    def sign_up(_: int) -> Added:
        at_once.wait()
        return _sign_up(people, both)

    with ThreadPoolExecutor(6) as callers:
        added = list(callers.map(sign_up, range(6)))
    assert sorted(astuple(each)[:3] for each in added) == [(0, 0, 2)] * 5 + [(2, 2, 0)]
    assert len(people.person("ann@example.org").subscriptions) == 2
    assert len(_letters(store)) == 2


def test_imports_at_the_same_time_in_another_order_do_not_stop_one_another(store: Store) -> None:
    half_done, seen = Barrier(2), local()

    def key_of(address: str) -> str:
        seen.many = getattr(seen, "many", 0) + 1
        if seen.many == 5001:
            with suppress(BrokenBarrierError):
                half_done.wait(timeout=0.5)  # never comes true: one import waits until the other is done
        return address

    people = Subscribers(store, keys=AddressKeys(secret=b"a key for tests", key_of=key_of))
    newcomers = [Newcomer(address=f"reader-{number}@example.org", lists=("brief",)) for number in range(10_000)]
    with ThreadPoolExecutor(2) as callers:
        added = list(callers.map(lambda some: _import(people, *some), (newcomers, newcomers[::-1])))
    assert sorted(each.added for each in added) == [0, 10_000]
    assert people.count("brief") == 10_000


def test_an_import_is_kept_whole_or_not_at_all(people: Subscribers) -> None:
    newcomers = [Newcomer(address=f"reader-{number}@example.org", lists=("brief",)) for number in range(6000)]
    with pytest.raises(AttributeError):
        _import(people, *newcomers, object())  # type: ignore[arg-type]
    assert people.count("brief") == 0


def test_leaving_is_on_record_says_goodbye_and_calls_back_what_waits(people: Subscribers, store: Store) -> None:
    _import(people, ANN, Newcomer(address="bob@example.org", lists=("brief",)))
    _deliver(store, _only(people), *DeliveryState)
    _deliver(store, _only(people, "bob@example.org"), DeliveryState.QUEUED)
    assert _move(people, _only(people), LEFT, now=NOW + HOUR)
    assert (_only(people).state, _only(people).since_at) == (LEFT, NOW + HOUR)
    assert _record(people)[-1] == (ACTIVE, LEFT, "one-click")
    assert _letters(store) == [(LetterKind.GOODBYE, DeliveryState.QUEUED)]
    called_back = {DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.SUPPRESSED}
    after = [state if state not in called_back else DeliveryState.SUPPRESSED for state in DeliveryState]
    deliveries = people.person("ann@example.org").deliveries
    assert [state for _, state, _ in reversed(deliveries)] == after
    assert {because for _, state, because in deliveries if because} == {"left the list"}
    assert [state for _, state, _ in people.person("bob@example.org").deliveries] == [DeliveryState.QUEUED]


def test_leaving_one_list_leaves_the_others_alone(people: Subscribers, store: Store) -> None:
    _import(people, Newcomer(address="ann@example.org", lists=("brief", "weekly")))
    brief, weekly = people.person("ann@example.org").subscriptions
    _deliver(store, weekly, DeliveryState.QUEUED)
    _move(people, brief, LEFT)
    assert people.subscription(weekly.id) == weekly
    assert people.person("ann@example.org").deliveries[0][1] is DeliveryState.QUEUED


def test_confirming_makes_active_welcomes_and_takes_back_the_letter_that_asked(
    people: Subscribers, store: Store
) -> None:
    _sign_up(people)
    assert _move(people, _only(people), ACTIVE)
    assert _only(people).state is ACTIVE
    assert _letters(store) == [
        (LetterKind.CONFIRMATION, DeliveryState.SUPPRESSED),
        (LetterKind.WELCOME, DeliveryState.QUEUED),
    ]


def test_who_never_confirmed_gets_no_goodbye(people: Subscribers, store: Store) -> None:
    _sign_up(people)
    _move(people, _only(people), LEFT)
    assert _letters(store) == [(LetterKind.CONFIRMATION, DeliveryState.SUPPRESSED)]


def test_a_click_that_comes_twice_does_nothing_twice(people: Subscribers, store: Store) -> None:
    _import(people)
    assert [_move(people, _only(people), LEFT, now=NOW + HOUR * again) for again in range(3)] == [True, False, False]
    assert len(_record(people)) == 2
    assert len(_letters(store)) == 1


def test_many_clicks_at_once_are_one(people: Subscribers) -> None:
    _import(people)
    at_once, subscription = Barrier(6), _only(people)

    def click(_: int) -> bool:
        at_once.wait()
        return _move(people, subscription, LEFT)

    with ThreadPoolExecutor(6) as callers:
        assert sorted(callers.map(click, range(6))) == [False] * 5 + [True]
    assert len(_record(people)) == 2


def test_a_move_the_table_does_not_allow_is_refused(people: Subscribers) -> None:
    _import(people)
    with pytest.raises(MoveError, match="active may not become pending"):
        _move(people, _only(people), PENDING)


def test_a_suppressed_address_is_kept_only_as_a_hash_and_never_added_again(people: Subscribers, store: Store) -> None:
    _import(people, Newcomer(address="ann@example.org", lists=("brief", "weekly")))
    people.suppress("ANN@example.org", reason="550 no such user", now=NOW)
    people.suppress("bob@example.org", reason="asked by letter", now=NOW)
    assert people.suppression("Ann@Example.org") is not None
    assert people.suppression("carl@example.org") is None
    assert {each.state for each in people.person("ann@example.org").subscriptions} == {SUPPRESSED}
    assert _record(people)[-1] == (ACTIVE, SUPPRESSED, "suppression")
    bob = Newcomer(address="Bob@example.org", lists=("brief",))
    assert _import(people, ANN, bob) == Added(suppressed=2)
    assert _sign_up(people, bob) == Added(suppressed=1)
    assert people.by_address("bob@example.org") is None
    with store.read() as connection:
        kept = connection.execute(select(SuppressionRow.address_hash, SuppressionRow.reason)).all()
    assert sorted(row.reason for row in kept) == ["550 no such user", "asked by letter"]
    assert all(len(row.address_hash) == 64 and "ann" not in row.address_hash for row in kept)


def test_suppressing_calls_back_what_waits_and_says_no_goodbye(people: Subscribers, store: Store) -> None:
    _import(people)
    _deliver(store, _only(people), DeliveryState.DEFERRED)
    people.suppress("ann@example.org", reason="complained", now=NOW)
    (delivery,) = people.person("ann@example.org").deliveries
    assert delivery[1:] == (DeliveryState.SUPPRESSED, "the address is suppressed")
    assert _letters(store) == []


def test_hashes_of_two_sites_have_nothing_in_common() -> None:
    hashes = {AddressKeys(secret=secret).hash_of("ann@example.org") for secret in (b"one", b"two")}
    assert len(hashes) == 2


def test_what_no_column_can_hold_does_not_stop_an_import(people: Subscribers) -> None:
    odd = Newcomer(address="ann@example.org", name="nul \0 \udc80", lists=("brief",), language="en-" + "x" * 40)
    assert _import(people, odd) == Added(added=1)
    found = people.person("ann@example.org").subscriber
    assert (found.name, found.language) == ("nul  ", None)


def test_someone_unknown_is_not_named_in_the_error(people: Subscribers) -> None:
    with pytest.raises(NotFoundError) as refused:
        people.person("ann.secret@example.org")
    assert "example.org" in str(refused.value)
    assert "secret" not in str(refused.value)
    assert people.by_address("ann.secret@example.org") is None


def test_ids_that_are_not_there_are_not_found(people: Subscribers) -> None:
    with pytest.raises(NotFoundError, match="no subscription named '7'"):
        people.subscription(7)
    with pytest.raises(NotFoundError, match="no subscriber named '7'"):
        people.subscriber(7)
    with pytest.raises(NotFoundError, match="no subscription named '7'"):
        people.move(7, LEFT, source="", text="", now=NOW)


def test_one_subscriber_can_be_asked_for_by_id(people: Subscribers) -> None:
    _import(people)
    assert people.subscriber(_only(people).subscriber_id) == people.by_address("ann@example.org")


def test_an_export_brings_everybody_once_across_pages(people: Subscribers) -> None:
    lists = (("brief",), ("weekly",), ("brief", "weekly"))
    newcomers = [Newcomer(address=f"r{number}@example.org", lists=lists[number % 3]) for number in range(2400)]
    _import(people, *newcomers)
    everybody = list(people.exported())
    assert [person.address for person, _ in everybody] == [newcomer.address for newcomer in newcomers]
    assert [tuple(each.list_id for each in found) for _, found in everybody] == [each.lists for each in newcomers]
    of_brief = list(people.exported("brief"))
    assert len(of_brief) == 1600
    assert {tuple(each.list_id for each in found) for _, found in of_brief} == {("brief",)}
