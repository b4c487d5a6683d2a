"""What the ledger does for each batch must not read a whole edition: a million rows cost no more a row than a thousand."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from newsletter.model.delivery import DeliveryState
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from tests.store.samples import LATER, NOW, begin, claim_all, deliver, frozen, open_ledger, outcome, record

_Statements = dict[str, Any]


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
    frozen(store, 3_000)
    with open_ledger(store) as ledger, _statements(store) as seen:
        first, *rest = claim_all(ledger, limit=200)
        deliver(ledger, rest)
        begin(ledger, [first, *rest])
        record(ledger, [outcome(first, DeliveryState.DEFERRED, due_at=LATER)])
        ledger.release("one")
        ledger.in_flight()
        ledger.next_due_at()
        ledger.recover(now=NOW, alone=False)
        Editions(store).finish(now=NOW)
    plans = {
        statement: _plan(store, statement, parameters)
        for statement, parameters in seen.items()
        if "deliveries" in statement
    }
    assert len(plans) >= 10
    whole = "SCAN deliveries" if store.is_sqlite else "Seq Scan on deliveries"
    assert [f"{statement}\n{plan}" for statement, plan in plans.items() if whole in plan] == []
    named = [plan for statement, plan in plans.items() if statement.startswith("WITH given")]
    by_id = "deliveries USING INTEGER PRIMARY KEY" if store.is_sqlite else "using pk_deliveries on deliveries"
    assert [plan for plan in named if by_id not in plan] == []
