import random
from pathlib import Path

import pytest
from sqlalchemy import select, update

from newsletter.errors import NotFoundError
from newsletter.model.delivery import DeliveryState, Report
from newsletter.model.message import LetterKind
from newsletter.model.subscriber import Newcomer, SubscriptionState
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.keys import AddressKeys
from newsletter.store.letters import Letters
from newsletter.store.ports import Added
from newsletter.store.subscribers import Subscribers
from newsletter.store.tables import Base, ConsentRow, DeliveryRow, LetterRow, SubscriberRow, SuppressionRow
from tests.store.samples import (
    LATER,
    NOW,
    add_items,
    begin,
    claim_all,
    deliver,
    draft_of,
    freeze,
    open_ledger,
    outcome,
    record,
)

ANN = Newcomer(
    address="Ann.Quill@Example.org",
    name="Ann Quill",
    lists=("brief", "weekly"),
    language="ga",
    fields=(("second address", "ann.quill@example.org"), ("town", "Skibbereen")),
)
TRACES = ("quill", "skibbereen", "@example.org")


@pytest.fixture
def people(store: Store) -> Subscribers:
    return Subscribers(store, keys=AddressKeys(secret=b"a key for tests"))


def _join(people: Subscribers, *newcomers: Newcomer, source: str = "import: council") -> Added:
    return people.add(newcomers or (ANN,), confirmed=True, source=source, text="I agree", now=NOW)


def _erase(people: Subscribers, address: str = "ann.quill@EXAMPLE.org") -> bool:
    return people.erase(address, source="cli", now=LATER)


def _everything(store: Store) -> str:
    """All rows of all tables as text."""
    with store.read() as connection:
        return "\n".join(
            repr(row).lower() for table in Base.metadata.tables.values() for row in connection.execute(table.select())
        )


def _on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("var/newsletter.db*")).lower()


def test_nothing_about_an_erased_person_is_left_in_any_table_or_file(
    people: Subscribers, store: Store, tmp_path: Path
) -> None:
    _join(people, source="asked by ANN.QUILL@example.org herself")
    freeze(store, draft_of(add_items(store, 1)))
    with open_ledger(store) as ledger:
        deliver(ledger, claim_all(ledger))
    with store.write() as connection:
        connection.execute(update(DeliveryRow).values(reply="mailbox of Ann Quill took it"))
    assert all(trace in _everything(store) for trace in TRACES)

    assert _erase(people)

    left = _everything(store)
    assert [trace for trace in TRACES if trace in left] == []
    if store.is_sqlite:
        assert [trace for trace in TRACES if trace.encode() in _on_disk(tmp_path)] == []


def test_of_whom_is_erased_out_of_many_no_copy_stays_where_pages_were_split(
    people: Subscribers, store: Store, tmp_path: Path
) -> None:
    if not store.is_sqlite:
        pytest.skip("a server's files are its own affair")
    luck = random.Random(7)  # in any order, so that the index is split everywhere
    addresses = [f"{luck.randrange(10**12):012}-x@many.example" for _ in range(4000)]
    _join(people, *(Newcomer(address=each, lists=("brief",)) for each in addresses))
    _join(
        people, *(Newcomer(address=each, name="N" * 60, lists=("brief",)) for each in addresses)
    )  # rows grow and move
    gone = addresses[::400]
    for address in gone:
        _erase(people, address)

    kept = _on_disk(tmp_path)

    assert [address for address in gone if address.encode() in kept] == []
    assert addresses[1].encode() in kept


def test_what_waits_for_an_erased_person_is_suppressed_and_the_report_adds_up(
    people: Subscribers, store: Store
) -> None:
    _join(people, ANN, Newcomer(address="bob@else.example", lists=("brief",)))
    ids = [f"daily-{number}" for number in range(3)]
    for number, (edition, item) in enumerate(zip(ids, add_items(store, 3), strict=True)):
        freeze(store, draft_of([item], edition_id=edition, number=number))
    editions = Editions(store)
    Letters(store).enqueue(LetterKind.WELCOME, people.person(ANN.address).subscriptions[0].id, key="w", now=NOW)
    with open_ledger(store) as ledger:
        claimed = [one for one in claim_all(ledger) if one.address == ANN.address]
        sent, deferred, *_ = (one for one in claimed if one.batch in ids)
        deliver(ledger, [sent])
        deliver(ledger, [deferred], DeliveryState.DEFERRED)

        _erase(people)

        assert not any(begin(ledger, claimed)), "what a worker had in its hands is not begun"
        assert editions.report(sent.batch) == Report(edition=sent.batch, recipients=2, queued=1, sent=1)
        for batch in {*ids} - {sent.batch}:
            report = editions.report(batch)
            assert (report.recipients, report.queued, report.suppressed) == (2, 1, 1)
            assert report.reasons == ((DeliveryState.SUPPRESSED, "the person was erased", 1),)
    with store.read() as connection:
        letter = connection.execute(select(LetterRow.state, LetterRow.because)).one()
    assert tuple(letter) == (DeliveryState.SUPPRESSED, "the person was erased")


def test_an_answer_that_comes_after_the_erasure_is_counted_and_nothing_is_sent_again(
    people: Subscribers, store: Store
) -> None:
    _join(people)
    freeze(store, draft_of(add_items(store, 1)))
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger)
        assert begin(ledger, claimed) == [True]
        _erase(people)
        late = outcome(claimed[0], DeliveryState.DEFERRED, text="busy: <ann.quill@example.org>", due_at=LATER)
        assert record(ledger, [late]) == [True]
        assert claim_all(ledger, now=LATER) == ()
    report = Editions(store).report("daily-2026-11-23")
    assert (report.recipients, report.suppressed) == (1, 1)
    assert "quill" not in _everything(store)


def test_the_record_of_consent_stays_and_ends_with_the_erasure(people: Subscribers, store: Store) -> None:
    _join(people)
    ids = [each.id for each in people.person(ANN.address).subscriptions]

    _erase(people)

    assert {people.subscription(each).state for each in ids} == {SubscriptionState.ERASED}
    with store.read() as connection:
        rows = connection.execute(select(ConsentRow.__table__).order_by(ConsentRow.id)).all()
        erased_at = connection.scalar(select(SubscriberRow.erased_at))
    assert [(row.before, row.after, row.source, row.text) for row in rows] == [
        (None, SubscriptionState.ACTIVE, "import: council", "I agree"),
        (None, SubscriptionState.ACTIVE, "import: council", "I agree"),
        (SubscriptionState.ACTIVE, SubscriptionState.ERASED, "cli", ""),
        (SubscriptionState.ACTIVE, SubscriptionState.ERASED, "cli", ""),
    ]
    assert erased_at == LATER


def test_an_erased_address_is_never_added_again(people: Subscribers) -> None:
    _join(people)
    _erase(people)
    assert people.is_suppressed(ANN.address)
    assert _join(people) == Added(suppressed=2)
    by_person = people.add([ANN], confirmed=False, source="web", text="", now=LATER, by_person=True)
    assert by_person == Added(suppressed=2)
    assert people.by_address(ANN.address) is None
    assert list(people.exported()) == []


def test_erasing_twice_is_once(people: Subscribers, store: Store) -> None:
    _join(people)
    assert [_erase(people) for _ in range(3)] == [True, False, False]
    with store.read() as connection:
        assert len(connection.execute(select(SuppressionRow.address_hash)).all()) == 1


@pytest.mark.parametrize("before", [SubscriptionState.LEFT, SubscriptionState.SUPPRESSED])
def test_who_left_or_is_suppressed_can_be_erased_too(
    people: Subscribers, store: Store, before: SubscriptionState
) -> None:
    _join(people)
    if before is SubscriptionState.LEFT:
        people.move(people.person(ANN.address).subscriptions[0].id, before, source="one-click", text="", now=NOW)
    else:
        people.suppress(ANN.address, reason="complained: ann.quill@example.org", now=NOW)

    assert _erase(people)

    assert "quill" not in _everything(store)
    with store.read() as connection:
        reason = connection.scalar(select(SuppressionRow.reason))
    assert reason == ("erased" if before is SubscriptionState.LEFT else "complained: [address]")


def test_somebody_unknown_cannot_be_erased_and_is_not_named(people: Subscribers) -> None:
    with pytest.raises(NotFoundError) as refused:
        _erase(people)
    assert "quill" not in str(refused.value)
    assert not people.is_suppressed(ANN.address)
