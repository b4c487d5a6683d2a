import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from newsletter.errors import NotFoundError
from newsletter.model.delivery import DeliveryState, Report
from newsletter.model.message import LetterKind
from newsletter.model.subscriber import Newcomer, SubscriptionState, SuppressionKind
from newsletter.store.consents import Said
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.forgetting import forget_never_confirmed
from newsletter.store.keys import AddressKeys
from newsletter.store.leaving import move_subscription
from newsletter.store.letters import Letters
from newsletter.store.ports import Added
from newsletter.store.subscribers import Subscribers
from newsletter.store.tables import (
    Base,
    ConsentRow,
    DeliveryRow,
    LetterRow,
    SubscriberRow,
    SubscriptionRow,
    SuppressionRow,
    WordingRow,
)
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
from tests.store.together import is_held_up

ANN = Newcomer(
    address="Ann.Quill@Example.org",
    name="Ann Quill",
    lists=("brief", "weekly"),
    language="ga",
    fields=(("second address", "ann.quill@example.org"), ("town", "Skibbereen")),
)
BOB = Newcomer(address="bob@else.example", lists=("brief",))
TRACES = ("quill", "skibbereen", "@example.org")


@pytest.fixture
def people(store: Store) -> Subscribers:
    return Subscribers(store, keys=AddressKeys(secret=b"a key for tests"))


def _join(people: Subscribers, *newcomers: Newcomer, source: str = "import: council") -> Added:
    return people.add(newcomers or (ANN,), confirmed=True, source=source, text="I agree", now=NOW)


def _ask(people: Subscribers) -> Added:
    """Bob signs up."""
    return people.add([BOB], confirmed=False, source="web", text="", now=NOW, by_person=True)


def _only(people: Subscribers) -> int:
    """Bob's subscription."""
    (subscription,) = people.person(BOB.address).subscriptions
    return subscription.id


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


def test_what_a_server_said_is_forgotten_whichever_spelling_of_the_mailbox_it_was_about(
    people: Subscribers, store: Store
) -> None:
    keys, address = AddressKeys(secret=b"a key for tests"), "Ann.Quill@gmail.com"
    said = {"reason": "dead", "at": NOW, "kind": SuppressionKind.BOUNCE, "evidence": "550 Ann Quill has moved"}
    with store.write() as connection:
        connection.execute(insert(SuppressionRow), [{"address_hash": each} | said for each in keys.hashes_of(address)])

    assert not _erase(people, address)

    assert "moved" not in _everything(store)


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
    _join(people, ANN, BOB)
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
    agreed = sha256(b"I agree").hexdigest()
    assert [(row.before, row.after, row.source, row.wording) for row in rows] == [
        (None, SubscriptionState.ACTIVE, "import: council", agreed),
        (None, SubscriptionState.ACTIVE, "import: council", agreed),
        (SubscriptionState.ACTIVE, SubscriptionState.ERASED, "cli", None),
        (SubscriptionState.ACTIVE, SubscriptionState.ERASED, "cli", None),
    ]
    assert erased_at == LATER


def test_an_erased_address_is_added_by_nobody_but_the_person(people: Subscribers) -> None:
    _join(people)
    _erase(people)
    assert people.suppression(ANN.address) is not None
    assert _join(people) == Added(suppressed=2)
    unasked = people.add([ANN], confirmed=True, source="web", text="", now=LATER, by_person=True)
    assert unasked == Added(suppressed=2), "nobody is asked whether it is them"
    assert people.by_address(ANN.address) is None
    assert list(people.exported()) == []


def _sign_up(people: Subscribers) -> Added:
    return people.add([ANN], confirmed=False, source="web", text="", now=LATER, by_person=True)


def test_who_was_erased_comes_back_only_by_signing_up_and_confirming(people: Subscribers, store: Store) -> None:
    _join(people)
    _erase(people)

    assert _sign_up(people) == Added(added=2, pending=2)

    assert _join(people) == Added(suppressed=2), "an import confirms nothing for them"
    with open_ledger(store) as ledger:
        assert [one.batch for one in claim_all(ledger, now=LATER)] == ["confirmation/brief"], "one mail an hour"
        asked = {one.batch for one in claim_all(ledger, now=LATER + timedelta(hours=1))}
        assert asked == {"confirmation/brief", "confirmation/weekly"}
    brief, weekly = people.person(ANN.address).subscriptions
    people.move(brief.id, SubscriptionState.ACTIVE, source="confirm link", text="", now=LATER)
    assert people.suppression(ANN.address) is None
    assert people.subscription(weekly.id).state is SubscriptionState.PENDING


@pytest.mark.parametrize("erased_first", [True, False])
def test_a_complaint_outlasts_an_erasure_whichever_came_first(people: Subscribers, *, erased_first: bool) -> None:
    _join(people)
    if erased_first:
        _erase(people)
    people.suppress(ANN.address, reason="pressed the button", kind=SuppressionKind.COMPLAINT, now=NOW)
    if not erased_first:
        _erase(people)

    kept = people.suppression(ANN.address)

    assert kept is not None
    assert (kept.kind, kept.reason) == (SuppressionKind.COMPLAINT, "pressed the button")
    assert _sign_up(people) == Added(suppressed=2)


def test_who_never_confirmed_is_forgotten_and_may_sign_up_again(people: Subscribers, store: Store) -> None:
    old, late = (Newcomer(address=f"{name}@example.org", lists=("brief",)) for name in ("old", "late"))
    people.add([old, ANN], confirmed=False, source="web", text="", now=NOW, by_person=True)
    people.move(people.person(ANN.address).subscriptions[0].id, SubscriptionState.ACTIVE, source="", text="", now=NOW)
    people.add([late], confirmed=False, source="web", text="", now=LATER, by_person=True)

    def forget() -> int:
        return people.forget_unconfirmed(["brief", "weekly"], before=LATER, now=LATER + timedelta(days=1))

    assert [forget(), forget()] == [1, 0]
    assert people.by_address("old@example.org") is None
    assert "old@" not in _everything(store)
    assert people.suppression("old@example.org") is None
    assert people.by_address(ANN.address) is not None, "another list of theirs is confirmed"
    assert people.by_address("late@example.org") is not None


def test_of_who_never_confirmed_no_row_is_left(people: Subscribers, store: Store) -> None:
    _ask(people)
    assert people.forget_unconfirmed(["brief"], before=LATER, now=LATER) == 1
    tables = (SubscriberRow, SubscriptionRow, ConsentRow, LetterRow)
    with store.read() as connection:
        assert [connection.scalar(select(func.count()).select_from(table)) for table in tables] == [0] * len(tables)


@pytest.mark.parametrize("forgotten", [True, False])
def test_who_left_and_never_answered_whether_they_come_back_is_brought_back_by_no_import(
    people: Subscribers, *, forgotten: bool
) -> None:
    people.add([BOB], confirmed=True, source="web", text="", now=NOW, by_person=True)
    people.move(_only(people), SubscriptionState.LEFT, source="one-click", text="", now=NOW)
    assert _ask(people) == Added(added=1, pending=1)
    if forgotten:
        people.forget_unconfirmed(["brief"], before=LATER, now=LATER)
        assert people.subscription(_only(people)).state is SubscriptionState.LEFT
    assert _join(people, BOB) == Added(left=1)


def test_a_confirmation_that_comes_before_somebody_is_forgotten_wins(people: Subscribers, store: Store) -> None:
    if store.is_sqlite:
        pytest.skip("one writer at a time")
    _ask(people)
    with store.write() as connection:
        move_subscription(connection, _only(people), SubscriptionState.ACTIVE, said=Said(source="link", now=LATER))
        assert people.forget_unconfirmed(["brief"], before=LATER, now=LATER) == 0
    assert people.subscription(_only(people)).state is SubscriptionState.ACTIVE


def test_a_confirmation_that_comes_as_somebody_is_forgotten_is_told_so(people: Subscribers, store: Store) -> None:
    _ask(people)
    confirm = partial(people.move, _only(people), SubscriptionState.ACTIVE, source="link", text="", now=LATER)
    with pytest.raises(NotFoundError):
        _as_they_are_forgotten(store, confirm)


def test_who_signs_up_as_they_are_forgotten_is_asked_to_confirm(people: Subscribers, store: Store) -> None:
    _ask(people)
    _as_they_are_forgotten(store, partial(_ask, people))
    assert people.subscription(_only(people)).state is SubscriptionState.PENDING
    assert [kind for kind, *_ in people.person(BOB.address).letters] == [LetterKind.CONFIRMATION]


def _as_they_are_forgotten(store: Store, work: Callable[[], object]) -> None:
    with ThreadPoolExecutor(1) as pool:
        with store.write() as connection:
            forget_never_confirmed(connection, ["brief"], before=LATER, said=Said(source="", now=LATER))
            coming = pool.submit(work)
            assert store.is_sqlite or is_held_up(store, coming)
        coming.result(30)


def test_who_asked_again_has_all_the_time_to_confirm_again(people: Subscribers) -> None:
    month = timedelta(days=30)
    for days in (0, 29):
        people.add([BOB], confirmed=False, source="web", text="", now=NOW + timedelta(days=days), by_person=True)

    def forget(days: int) -> int:
        now = NOW + timedelta(days=days)
        return people.forget_unconfirmed(["brief"], before=now - month, now=now)

    assert [forget(31), forget(58), forget(60)] == [0, 0, 1]


def test_a_wording_that_names_the_erased_is_kept_without_them_and_once_for_the_others(
    people: Subscribers, store: Store
) -> None:
    for person, text in ((ANN, "Yes, write to ann.quill@example.org"), (BOB, "I agree")):
        people.add([person], confirmed=True, source="paper", text=text, now=NOW)
    _erase(people)
    with store.read() as connection:
        assert set(connection.scalars(select(WordingRow.text))) == {"Yes, write to [address]", "I agree"}


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
    assert people.suppression(ANN.address) is None
