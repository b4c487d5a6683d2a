from newsletter.model.edition import EditionState
from newsletter.model.visit import Agent, Tally
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.visits import Visits
from tests.store.samples import add_items, draft_of, freeze


def test_visits_are_counted_by_link_and_kind_of_visitor(store: Store) -> None:
    draft = draft_of(add_items(store, 1))
    freeze(store, draft, state=EditionState.APPROVED)
    visits = Visits(store)
    assert visits.tallies(draft.id) == ()

    for url, agent in (
        ("", Agent.PERSON),
        ("", Agent.PROXY),
        ("", Agent.PERSON),
        ("https://a.example/", Agent.MACHINE),
    ):
        visits.count(draft.id, url, agent)

    assert visits.tallies(draft.id) == (
        Tally(url="", agent=Agent.PERSON, count=2),
        Tally(url="", agent=Agent.PROXY, count=1),
        Tally(url="https://a.example/", agent=Agent.MACHINE, count=1),
    )


def test_all_documents_of_an_edition_are_had_at_once(store: Store) -> None:
    draft = draft_of(add_items(store, 1))
    freeze(store, draft, state=EditionState.APPROVED)
    editions = Editions(store)
    assert editions.documents(draft.id) == (editions.rendered(draft.id),)
    assert editions.documents("none") == ()
