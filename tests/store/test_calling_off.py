"""An edition is called off at once, and its recipients are told of it in slices, whoever does it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter.model.delivery import Claimed, DeliveryState, LedgerKind
from newsletter.model.edition import EditionState
from newsletter.store.calling_off import begin_calling_off
from newsletter.store.editions import Editions, locked_edition, set_state
from newsletter.store.engine import Store
from newsletter.store.ledger import Ledger
from newsletter.store.outcomes import ANSWER_WITHIN, commit_group
from newsletter.store.tables import IssueRow
from tests.store.samples import (
    LATER,
    NOW,
    add_items,
    add_people,
    begin,
    claim_all,
    deliver,
    draft_of,
    freeze,
    frozen,
    join,
    open_ledger,
    outcome,
    record,
)


def _die_calling_off(store: Store, edition_id: str) -> None:
    """Cancel an edition, as a program does that is killed before it has told anybody."""
    with store.write() as connection:
        edition = locked_edition(connection, edition_id)
        set_state(connection, edition, EditionState.CANCELLED, now=NOW, because="wrong date")
        begin_calling_off(connection, edition_id)


def _tell_all(store: Store, *, most: int = 2) -> None:
    while Editions(store).freeze_more(most=most):
        pass


def _suppressed(store: Store, edition_id: str) -> tuple[int, int]:
    """Of an edition, with how many recipients it has."""
    report = Editions(store).report(edition_id)
    return report.suppressed, report.recipients


def _issued(store: Store) -> list[str | None]:
    with store.read() as connection:
        return list(connection.scalars(select(IssueRow.edition_id)))


def test_who_dies_calling_an_edition_off_leaves_the_rest_to_whoever_works_in_slices(store: Store) -> None:
    edition = frozen(store, 5)
    _die_calling_off(store, edition)
    told = [_suppressed(store, edition)]
    while Editions(store).freeze_more(most=2):
        told.append(_suppressed(store, edition))
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]
    reason = (DeliveryState.SUPPRESSED, "the edition was cancelled: wrong date", 5)
    assert Editions(store).report(edition).reasons == (reason,)


def test_whoever_was_not_written_down_never_is(store: Store) -> None:
    edition = frozen(store, 5, first=3)
    _die_calling_off(store, edition)
    assert _suppressed(store, edition) == (0, 3)
    _tell_all(store)
    assert _suppressed(store, edition) == (3, 3)


def test_meanwhile_nothing_of_it_is_leased_or_begun(store: Store) -> None:
    edition = frozen(store, 5)
    with open_ledger(store) as ledger:
        sent, *held = claim_all(ledger, limit=3)
        begin(ledger, [sent])
        _die_calling_off(store, edition)
        assert claim_all(ledger) == ()
        assert begin(ledger, held) == [False, False]
        assert record(ledger, [outcome(sent)]) == [True]
    _tell_all(store)
    assert _suppressed(store, edition) == (4, 5)


def test_what_a_worker_holds_or_is_to_try_again_is_called_off_too(store: Store) -> None:
    edition = frozen(store, 5)
    with open_ledger(store) as ledger:
        deliver(ledger, claim_all(ledger, limit=2), DeliveryState.DEFERRED)
        held = claim_all(ledger, limit=1, owner="frozen")
        _die_calling_off(store, edition)
        _tell_all(store)
        assert _suppressed(store, edition) == (5, 5)
        assert begin(ledger, held) == [False]
        assert claim_all(ledger, now=LATER) == ()


def _begun(ledger: Ledger, *, many: int) -> tuple[Claimed, ...]:
    claimed = claim_all(ledger, limit=many)
    assert all(begin(ledger, claimed))
    return claimed


def _cancel(store: Store, edition_id: str) -> None:
    Editions(store).move(edition_id, EditionState.CANCELLED, now=NOW, because="wrong date")


CALLED_OFF = "the edition was cancelled: wrong date"


def test_what_is_on_its_way_and_comes_back_unsent_is_called_off_as_it_is_recorded(store: Store) -> None:
    edition = frozen(store, 6)
    with open_ledger(store) as ledger:
        returned, deferred, sent, failed, _ = _begun(ledger, many=5)
        _cancel(store, edition)
        assert _suppressed(store, edition) == (1, 6)
        outcomes = [
            outcome(returned, DeliveryState.QUEUED, counts=False),
            outcome(deferred, DeliveryState.DEFERRED, due_at=LATER),
            outcome(sent),
            outcome(failed, DeliveryState.FAILED, because="no such mailbox"),
        ]
        assert all(ledger.record_all(outcomes, now=NOW).result(30))
        report = Editions(store).report(edition)
        assert (report.suppressed, report.sent, report.failed, report.sending) == (3, 1, 1, 1)
        assert (DeliveryState.SUPPRESSED, CALLED_OFF, 3) in report.reasons
        assert claim_all(ledger, now=LATER) == ()


def test_what_comes_back_of_an_edition_that_goes_on_is_not_called_off_with_the_other(store: Store) -> None:
    wrong, right = frozen(store, 1), frozen(store, 1, list_id="evening")
    with open_ledger(store) as ledger:
        begun = _begun(ledger, many=2)
        _cancel(store, wrong)
        assert all(record(ledger, [outcome(one, DeliveryState.QUEUED, counts=False) for one in begun]))
    assert [Editions(store).report(each).queued for each in (wrong, right)] == [0, 1]
    assert _suppressed(store, wrong) == (1, 1)


def test_what_a_journal_says_was_never_sent_is_called_off_too(store: Store) -> None:
    edition = frozen(store, 3)
    with open_ledger(store) as ledger:
        started, *_ = _begun(ledger, many=3)
        _cancel(store, edition)
        key = (LedgerKind.EDITION, started.id, started.fence)
        assert ledger.settle("one", answered=(), started={key}, whole=True, now=NOW) == (0, 1, 2)
    report = Editions(store).report(edition)
    assert (report.suppressed, report.unknown, report.queued) == (2, 1, 0)


@pytest.mark.parametrize("alone", [True, False])
def test_what_a_dead_worker_held_is_called_off_when_it_is_taken_from_it(store: Store, *, alone: bool) -> None:
    edition = frozen(store, 4)
    with open_ledger(store) as ledger:
        held = claim_all(ledger)
        begin(ledger, held[:1])
        _die_calling_off(store, edition)
        assert ledger.recover(now=NOW + 2 * ANSWER_WITHIN, alone=alone) == (1, 3)
        report = Editions(store).report(edition)
        assert (report.suppressed, report.unknown, report.queued) == (3, 1, 0)


def test_what_a_worker_gives_back_is_called_off_too(store: Store) -> None:
    edition = frozen(store, 4)
    with open_ledger(store) as ledger:
        claim_all(ledger, limit=3)
        _die_calling_off(store, edition)
        assert ledger.release("one") == 3
        assert _suppressed(store, edition) == (3, 4)


@pytest.mark.postgres
def test_what_comes_back_while_an_edition_is_called_off_is_waited_for(fresh_postgres_url: str) -> None:
    with (
        Store.open(fresh_postgres_url, site_dir=Path()) as store,
        open_ledger(store) as ledger,
        ThreadPoolExecutor(1) as pool,
    ):
        edition = frozen(store, 2)
        (one,) = _begun(ledger, many=1)
        with store.write() as connection:
            commit_group(connection, [(outcome(one, DeliveryState.QUEUED, counts=False), NOW)], all_or_none=True)
            calling_off = pool.submit(_cancel, store, edition)
            while _suppressed(store, edition) != (1, 2):
                assert not calling_off.done()
            with pytest.raises(TimeoutError):
                calling_off.result(timeout=0.1)
        calling_off.result()
        assert _suppressed(store, edition) == (2, 2)


def test_its_stories_are_free_when_everybody_is_told_and_no_earlier(store: Store) -> None:
    edition = frozen(store, 3)
    _die_calling_off(store, edition)
    Editions(store).freeze_more(most=2)
    assert _issued(store) == [edition]
    _tell_all(store)
    assert _issued(store) == []


def test_they_stay_issued_if_one_was_sent(store: Store) -> None:
    edition = frozen(store, 3)
    with open_ledger(store) as ledger:
        deliver(ledger, claim_all(ledger, limit=1))
    _die_calling_off(store, edition)
    _tell_all(store)
    assert _issued(store) == [edition]


def test_several_that_call_off_the_same_edition_leave_nobody_out(store: Store) -> None:
    edition = frozen(store, 60)
    _die_calling_off(store, edition)
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(_tell_all, store, most=7) for _ in range(3)]:
            done.result()
    assert _suppressed(store, edition) == (60, 60)
    assert _issued(store) == []


def test_who_composes_an_edition_with_the_same_story_tells_everybody_first(store: Store) -> None:
    people, items = add_people(store, 4), add_items(store, 1)
    freeze(store, draft_of(items, edition_id="morning-1"))
    with open_ledger(store) as ledger:
        deliver(ledger, claim_all(ledger, limit=1))
    _die_calling_off(store, "morning-1")
    join(store, people, "evening")
    groups = Editions(store).readership(draft_of(items, edition_id="evening-1", list_id="evening")).groups
    assert sorted((len(group.seen), group.readers) for group in groups) == [(0, 3), (1, 1)]
    assert _suppressed(store, "morning-1") == (3, 4)
    assert not Editions(store).freeze_more(most=2)
