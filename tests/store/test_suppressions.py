from datetime import UTC, datetime, timedelta

import pytest

from newsletter.model.subscriber import Newcomer, SubscriptionState, SuppressionKind
from newsletter.store.engine import Store
from newsletter.store.keys import AddressKeys
from newsletter.store.ledger import Ledger
from newsletter.store.ports import Added
from newsletter.store.subscribers import Subscribers
from newsletter.store.suppressions import Suppressions
from tests.store.samples import add_items, claim_all, draft_of, freeze

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ANN = "ann@news.example.org"
KEYS = AddressKeys(secret=b"a key for tests")


@pytest.fixture
def people(store: Store) -> Subscribers:
    return Subscribers(store, keys=KEYS)


@pytest.fixture
def suppressions(store: Store) -> Suppressions:
    return Suppressions(store, keys=KEYS)


def _join(people: Subscribers, *addresses: str) -> Added:
    newcomers = [Newcomer(address=each, lists=("brief",)) for each in addresses or (ANN,)]
    return people.add(newcomers, confirmed=True, source="import: council", text="", now=NOW)


def _state(people: Subscribers, address: str = ANN) -> SubscriptionState:
    return people.person(address).subscriptions[0].state


@pytest.mark.parametrize(
    ("pattern", "address", "kept_out"),
    [
        ("example.org", "ann@example.org", True),
        ("example.org", "Ann@EXAMPLE.org", True),
        ("example.org", "ann@news.example.org", False),
        ("*.example.org", "ann@news.example.org", True),
        ("*.example.org", "ann@deep.news.example.org", True),
        ("*.example.org", "ann@example.org", False),
        ("*.example.org", "ann@badexample.org", False),
        ("*.org", "ann@example.org", True),
        ("bücher.example", "ann@xn--bcher-kva.example", True),
        ("example.org", "ann@example.com", False),
    ],
)
def test_a_rule_for_a_domain_keeps_out_who_is_at_it(
    people: Subscribers, suppressions: Suppressions, pattern: str, address: str, *, kept_out: bool
) -> None:
    assert suppressions.add_domain(pattern, reason="asked by the company", now=NOW)
    assert not suppressions.add_domain(pattern, reason="again", now=LATER)

    assert _join(people, address) == (Added(suppressed=1) if kept_out else Added(added=1))

    why = people.suppression(address)
    assert (why.kind, why.reason) == (None, "asked by the company") if why else not kept_out


def test_nothing_goes_out_to_a_suppressed_domain_and_lifting_the_rule_moves_nobody(
    people: Subscribers, suppressions: Suppressions, store: Store
) -> None:
    _join(people, ANN, "bob@example.net")
    freeze(store, draft_of(add_items(store, 1)))
    suppressions.add_domain("*.example.org", reason="their wish", now=NOW)
    with Ledger(store, hashes_of=KEYS.hashes_of) as ledger:
        assert [one.address for one in claim_all(ledger)] == ["bob@example.net"]
    assert people.person(ANN).deliveries[0][2] == "the domain is suppressed: their wish"
    assert [each.key for each in suppressions.domains()] == ["*.example.org"]

    assert suppressions.lift_domain("*.example.org")

    assert not suppressions.lift_domain("*.example.org")
    assert _state(people) is SubscriptionState.ACTIVE
    assert suppressions.domains() == ()


def test_a_bounce_that_is_lifted_gives_back_what_it_stopped(people: Subscribers) -> None:
    _join(people)
    people.suppress(ANN, reason="550 no such user", kind=SuppressionKind.BOUNCE, now=NOW)

    lifted = people.lift(ANN, reason="their server was broken", now=LATER)

    assert lifted is not None
    assert lifted.kind is SuppressionKind.BOUNCE
    assert _state(people) is SubscriptionState.ACTIVE
    assert people.suppression(ANN) is None
    last = people.person(ANN).consents[-1]
    assert (last.source, last.remark) == ("suppression lifted", "their server was broken")
    assert people.lift(ANN, reason="again", now=LATER) is None


@pytest.mark.parametrize("kind", [SuppressionKind.COMPLAINT, SuppressionKind.OBJECTION])
def test_who_complained_is_brought_back_by_themselves_alone(people: Subscribers, kind: SuppressionKind) -> None:
    _join(people)
    people.suppress(ANN, reason="said so", kind=kind, now=NOW)

    people.lift(ANN, reason="it was a mistake", now=LATER)

    assert _state(people) is SubscriptionState.LEFT
    assert _join(people) == Added(left=1)
    again = [Newcomer(address=ANN, lists=("brief",))]
    people.add(again, confirmed=False, source="web", text="", now=LATER, by_person=True)
    assert _state(people) is SubscriptionState.PENDING


def test_who_had_left_before_a_bounce_stays_away_when_it_is_lifted(people: Subscribers) -> None:
    _join(people)
    people.move(people.person(ANN).subscriptions[0].id, SubscriptionState.LEFT, source="one-click", text="", now=NOW)
    people.suppress(ANN, reason="550", kind=SuppressionKind.BOUNCE, now=NOW)

    people.lift(ANN, reason="", now=LATER)

    assert _state(people) is SubscriptionState.LEFT


def test_the_list_of_suppressions_names_who_is_known_and_nobody_who_was_erased(
    people: Subscribers, suppressions: Suppressions
) -> None:
    _join(people, ANN, "bob@example.net")
    people.suppress(ANN, reason="550", kind=SuppressionKind.BOUNCE, now=NOW)
    people.erase("bob@example.net", source="cli", now=LATER)

    listed = [(each.kind, each.reason, address) for each, address in suppressions.listed()]

    assert listed == [(SuppressionKind.BOUNCE, "550", ANN), (SuppressionKind.ERASED, "erased", None)]


def test_all_spellings_of_a_mailbox_at_gmail_are_one_person_and_one_suppression(people: Subscribers) -> None:
    assert _join(people, "Ann.Lee@gmail.com") == Added(added=1)
    assert _join(people, "annlee+news@googlemail.com") == Added(known=1)
    assert people.person("annlee@gmail.com").subscriber.address == "Ann.Lee@gmail.com", "mail goes where it was given"

    people.suppress("annlee@gmail.com", reason="", now=NOW)

    assert _state(people, "ann.lee@gmail.com") is SubscriptionState.SUPPRESSED
    assert _join(people, "a.n.n.lee@gmail.com") == Added(suppressed=1)
    assert _join(people, "ann.lee@example.org", "annlee@example.org") == Added(added=2), "elsewhere they may be two"


def test_what_was_kept_under_the_spelling_given_is_still_found(store: Store) -> None:
    before = Subscribers(store, keys=AddressKeys(secret=KEYS.secret, key_of=str.lower))
    before.suppress("ann.lee@gmail.com", reason="of old", now=NOW)
    _join(before, "b.ob@gmail.com", "bob@gmail.com")

    people = Subscribers(store, keys=KEYS)

    assert _join(people, "ann.lee@gmail.com") == Added(suppressed=1)
    assert [people.person(each).subscriber.address for each in ("b.ob@gmail.com", "bob@gmail.com")] == [
        "b.ob@gmail.com",
        "bob@gmail.com",
    ]
