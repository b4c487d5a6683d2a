"""What readers prefer is kept as it was said, and forgotten with them."""

import pytest

from newsletter.errors import NotFoundError
from newsletter.model.subscriber import Newcomer, Preferences, Taste
from newsletter.store.engine import Store
from newsletter.store.keys import AddressKeys
from newsletter.store.ports import Person
from newsletter.store.subscribers import Subscribers
from tests.store.samples import LATER, NOW

ANN = Newcomer(address="ann@example.org", lists=("brief", "evening"))
CHOSEN = Preferences(
    language="ar", text_only=True, tracking=False, tastes={"brief": Taste(weekly=True, topics=("Seas", "Africa"))}
)


@pytest.fixture
def people(store: Store) -> Subscribers:
    people = Subscribers(store, keys=AddressKeys(secret=b"a key for tests"))
    people.add([ANN], confirmed=True, source="import", text="", now=NOW)
    return people


def _preferred(person: Person) -> Preferences:
    return Preferences(
        language=person.subscriber.language,
        text_only=person.subscriber.text_only,
        tracking=person.subscriber.tracking,
        tastes={each.list_id: Taste(weekly=each.weekly, topics=each.topics) for each in person.subscriptions},
    )


def test_who_said_nothing_gets_everything_each_time_with_html(people: Subscribers) -> None:
    everything = {"brief": Taste(), "evening": Taste()}
    assert _preferred(people.person(ANN.address)) == Preferences(tastes=everything)


def test_what_somebody_prefers_is_kept_list_by_list(people: Subscribers) -> None:
    people.prefer(people.person(ANN.address).subscriber.id, CHOSEN)
    kept = _preferred(people.person(ANN.address))
    assert (kept.language, kept.text_only, kept.tracking) == ("ar", True, False)
    assert kept.tastes == {"brief": Taste(weekly=True, topics=("Africa", "Seas")), "evening": Taste()}


def test_lists_that_somebody_is_not_on_are_not_joined_by_preferring(people: Subscribers) -> None:
    people.prefer(people.person(ANN.address).subscriber.id, Preferences(tastes={"other": Taste(weekly=True)}))
    assert [each.list_id for each in people.person(ANN.address).subscriptions] == ["brief", "evening"]


def test_who_is_erased_prefers_nothing_and_can_prefer_nothing(people: Subscribers) -> None:
    ann = people.person(ANN.address)
    people.prefer(ann.subscriber.id, CHOSEN)
    people.erase(ANN.address, source="cli", now=LATER)
    assert [(each.weekly, each.topics) for each in map(people.subscription, (s.id for s in ann.subscriptions))] == [
        (False, ()),
        (False, ()),
    ]
    with pytest.raises(NotFoundError):
        people.prefer(ann.subscriber.id, CHOSEN)
