from itertools import count

from sqlalchemy import event, insert
from structlog.testing import capture_logs

from newsletter.model.edition import EditionState
from newsletter.model.visit import Agent, Tally
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.tables import VisitRow
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
    visits.close()

    assert visits.tallies(draft.id) == (
        Tally(url="", agent=Agent.PERSON, count=2),
        Tally(url="", agent=Agent.PROXY, count=1),
        Tally(url="https://a.example/", agent=Agent.MACHINE, count=1),
    )


def test_a_flood_of_visits_is_few_writes_and_none_is_lost(store: Store) -> None:
    draft = draft_of(add_items(store, 1))
    freeze(store, draft, state=EditionState.APPROVED)
    visits, commits = Visits(store), count()
    with store.write() as connection:
        # Whoever else counts an opening waits for this one.
        row = {"edition_id": draft.id, "url": "", "agent": Agent.PERSON, "times": 1}
        connection.execute(insert(VisitRow).values(row))
        for number in range(3_000):
            visits.count(draft.id, f"https://a.example/{number % 2}" if number % 3 else "", Agent.PERSON)
        event.listen(store._engine, "commit", lambda _: next(commits))
    visits.close()

    assert {each.url: each.count for each in visits.tallies(draft.id)} == {
        "": 1_001,
        "https://a.example/0": 1_000,
        "https://a.example/1": 1_000,
    }
    assert next(commits) <= 6


def test_a_store_that_is_away_loses_counts_and_says_how_many(store: Store) -> None:
    visits = Visits(store)
    with capture_logs() as logs:
        visits.count("no such edition", "", Agent.PERSON)
        visits.close()
    assert [(line["event"], line["many"]) for line in logs] == [("visits not counted", 1)]


def test_all_documents_of_an_edition_are_had_at_once(store: Store) -> None:
    draft = draft_of(add_items(store, 1))
    freeze(store, draft, state=EditionState.APPROVED)
    editions = Editions(store)
    assert editions.documents(draft.id) == (editions.rendered(draft.id),)
    assert editions.documents("none") == ()
