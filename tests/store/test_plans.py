"""What the ledger does for each batch must not read a whole edition: a million rows cost no more a row than a thousand."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, insert

from newsletter.model.delivery import DeliveryState
from newsletter.model.edition import EditionState
from newsletter.model.item import Key, KeyKind
from newsletter.model.pacing import Lines
from newsletter.model.segment import parsed
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.keys import AddressKeys
from newsletter.store.lookup import StoredItems
from newsletter.store.subscribers import Subscribers
from newsletter.store.tables import AliasRow
from tests.store.samples import (
    LATER,
    LEASE,
    NOW,
    add_items,
    begin,
    claim_all,
    deliver,
    frozen,
    open_ledger,
    outcome,
    record,
)

_Statements = dict[str, Any]


@pytest.fixture
def url(bare_url: str) -> str:
    """Of a database that knows nothing yet of how its tables are filled."""
    return bare_url


@contextmanager
def _statements(store: Store) -> Iterator[_Statements]:
    """Every statement run meanwhile, with parameters it was run with."""
    seen: _Statements = {}

    def look(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        seen.setdefault(statement, parameters)

    event.listen(store._engine, "before_cursor_execute", look)
    try:
        yield seen
    finally:
        event.remove(store._engine, "before_cursor_execute", look)


def _plan(store: Store, statement: str, parameters: Any) -> str:
    with store.write() as connection:
        if store.is_sqlite:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        else:
            # As if the table were a large one: some thousand rows are indeed read faster than looked up.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        return "\n".join(str(row[-1]) for row in rows)


def test_no_batch_reads_a_whole_edition(store: Store) -> None:
    edition = frozen(store, 3_000)
    with open_ledger(store) as ledger, _statements(store) as seen:
        first, *rest = claim_all(ledger, limit=200)
        deliver(ledger, rest)
        begin(ledger, [first, *rest])
        record(ledger, [outcome(first, DeliveryState.DEFERRED, due_at=LATER)])
        waiting = claim_all(ledger, limit=3)
        ledger.line_up(waiting, Lines(provider_of=str, until={one.address: LATER for one in waiting}, takes={}))
        some = Lines(provider_of=str, until={}, takes={waiting[0].address: 5})
        ledger.claim(owner="one", limit=9, now=NOW, lease=LEASE, lines=some)
        ledger.release("one")
        ledger.in_flight()
        ledger.next_due_at()
        ledger.recover(now=NOW, alone=False)
        Editions(store).finish(now=NOW)
        (last,) = claim_all(ledger, limit=1)
        begin(ledger, [last])
        Editions(store).move(edition, EditionState.CANCELLED, now=NOW)
        record(ledger, [outcome(last, DeliveryState.QUEUED, counts=False)])
    plans = {
        statement: _plan(store, statement, parameters)
        for statement, parameters in seen.items()
        if "deliveries" in statement
    }
    assert len(plans) >= 10
    whole = "SCAN deliveries" if store.is_sqlite else "Seq Scan on deliveries"
    assert [f"{statement}\n{plan}" for statement, plan in plans.items() if whole in plan] == []
    assert any("ix_deliveries_waiting" in plan for plan in plans.values())
    held = [plan for one, plan in plans.items() if "|| " in one]
    assert held
    assert [plan for plan in held if "ix_deliveries_owned" not in plan] == []
    named = [plan for statement, plan in plans.items() if statement.startswith("WITH given")]
    by_id = "deliveries USING INTEGER PRIMARY KEY" if store.is_sqlite else "using pk_deliveries on deliveries"
    assert [plan for plan in named if by_id not in plan] == []


def test_what_one_person_was_sent_is_looked_up_and_not_searched_for(store: Store) -> None:
    frozen(store, 3_000)
    if not store.is_sqlite:
        with store.write() as connection:
            connection.exec_driver_sql("ANALYZE")  # as a server does by itself within a minute
    people = Subscribers(store, keys=AddressKeys(secret=b"a key for tests"))
    segments = [parsed(line) for line in ("delivered never", "delivered before 2d ago")]
    with _statements(store) as seen:
        people.person("reader-1@brief.example")
        people.move(2, SubscriptionState.LEFT, source="test", text="", now=LATER)
        people.erase("reader-3@brief.example", source="test", now=LATER)
        for segment in segments:
            people.in_segment("brief", segment, now=LATER)
    plans = {one: _plan(store, one, known) for one, known in seen.items() if "deliveries" in one}
    assert len(plans) == 5
    unique = "sqlite_autoindex_deliveries_1" if store.is_sqlite else "uq_deliveries_edition_id_subscriber_id"
    both = "(edition_id=? AND subscriber_id=?)" if store.is_sqlite else "Index Cond: ("
    assert [f"{one}\n{plan}" for one, plan in plans.items() if unique not in plan or both not in plan] == []


def test_a_name_that_half_the_archive_goes_by_costs_a_few_rows_to_look_up(store: Store) -> None:
    shared = Key(KeyKind.SKETCH, "", "of an imprint", strong=False)
    owned = Key(KeyKind.GUID, "observatory", "1", strong=True)
    ids = [item_id for item_id, _ in add_items(store, 50)]
    names = [
        {"kind": key.kind, "scope": key.scope, "value": key.value, "item_id": item_id, "strong": strong}
        for item_id in ids
        for key, strong in ((shared, False), (owned, item_id == ids[0]))
    ]
    with store.write() as connection:
        connection.execute(insert(AliasRow), names)
    with store.read() as connection, _statements(store) as seen:
        found = StoredItems(connection).by_keys((shared, owned))
    assert found == {shared: tuple(ids[-20:]), owned: (ids[0], *ids[-20:])}
    ((statement, parameters),) = [(one, given) for one, given in seen.items() if "aliases" in one]
    plan = _plan(store, statement, parameters)
    assert "SCAN aliases" not in plan
    assert "Seq Scan on aliases" not in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
    assert plan.count("sqlite_autoindex_aliases_1" if store.is_sqlite else "pk_aliases") == 1
    assert plan.count("ux_aliases_strong") == 1
