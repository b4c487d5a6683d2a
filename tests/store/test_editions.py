import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from newsletter.errors import EditionError, MoveError, NotFoundError
from newsletter.model.delivery import DeliveryState, Report
from newsletter.model.edition import EditionState
from newsletter.model.item import ItemState
from newsletter.model.subscriber import SubscriptionState
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.items import Items
from newsletter.store.keys import AddressKeys
from newsletter.store.subscribers import Subscribers
from newsletter.store.tables import IssueRow, ItemRow
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
    open_ledger,
    outcome,
    record,
    rendered_of,
    set_subscription,
)


def _issued(store: Store) -> list[int]:
    with store.read() as connection:
        return list(connection.scalars(select(IssueRow.story_id).order_by(IssueRow.story_id)))


def test_what_is_frozen_comes_back_as_it_was(store: Store) -> None:
    draft = draft_of(add_items(store, 3))
    freeze(store, draft)
    editions = Editions(store)
    assert editions.pieces(draft.id) == draft
    assert editions.rendered(draft.id) == rendered_of(draft)


def test_an_edition_is_found_by_its_id_and_by_its_number(store: Store) -> None:
    draft = draft_of(add_items(store, 1), number=7)
    freeze(store, draft, state=EditionState.AWAITING)
    editions = Editions(store)
    edition = editions.get(draft.id)
    assert (edition.number, edition.state, edition.subject) == (7, EditionState.AWAITING, "Number 7")
    assert (edition.dated_at, edition.frozen_at, edition.warnings) == (NOW, NOW, ("a teaser was shortened",))
    assert editions.by_number("brief", 7) == edition
    assert editions.listed() == (edition,)


def test_an_edition_that_is_not_there_is_named(store: Store) -> None:
    editions = Editions(store)
    for look in (editions.get, editions.rendered, editions.pieces, editions.report):
        with pytest.raises(NotFoundError, match="no edition named 'daily-1'"):
            look("daily-1")
    with pytest.raises(NotFoundError, match="brief/4"):
        editions.by_number("brief", 4)
    with pytest.raises(NotFoundError):
        editions.move("daily-1", EditionState.APPROVED, now=NOW)


def test_numbers_go_on_where_the_list_is_and_ids_step_aside(store: Store) -> None:
    editions = Editions(store)
    assert (editions.next_number("brief"), editions.free_id("daily")) == (1, "daily")
    freeze(store, draft_of(add_items(store, 1), edition_id="daily", number=1))
    freeze(store, draft_of(add_items(store, 1), edition_id="daily-2", number=2))
    assert (editions.next_number("brief"), editions.free_id("daily")) == (3, "daily-3")
    assert editions.next_number("other") == 1


def test_everyone_active_on_the_list_is_a_recipient_and_nobody_else(store: Store) -> None:
    people = add_people(store, 7)
    add_people(store, 2, list_id="other")
    for subscription, state in zip(people, (state for state in SubscriptionState), strict=False):
        set_subscription(store, subscription, state)
    people_of_all_lists = Subscribers(store, keys=AddressKeys(secret=b"a key for tests"))
    people_of_all_lists.erase("reader-6@brief.example", source="test", now=NOW)
    assert freeze(store, draft_of(add_items(store, 1))) == 2
    assert Editions(store).report("daily-2026-11-23") == Report(edition="daily-2026-11-23", recipients=2, queued=2)


@pytest.mark.parametrize("taken", ["id", "number", "story"])
def test_a_second_edition_cannot_take_what_the_first_has(store: Store, taken: str) -> None:
    add_people(store, 3)
    first, second = add_items(store, 2)
    freeze(store, draft_of([first]))
    draft = draft_of(
        [first if taken == "story" else second],
        edition_id="daily-2026-11-23" if taken == "id" else "daily-2026-11-24",
        number=1 if taken == "number" else 2,
    )
    with pytest.raises(EditionError, match="compose again"):
        freeze(store, draft)
    assert len(Editions(store).listed()) == 1
    assert _issued(store) == [first[1]]


def test_a_story_may_be_issued_on_two_lists(store: Store) -> None:
    items = add_items(store, 1)
    freeze(store, draft_of(items))
    freeze(store, draft_of(items, edition_id="weekly", list_id="other"))
    assert len(_issued(store)) == 2


def set_item(store: Store, item_id: int, **values: object) -> None:
    with store.write() as connection:
        connection.execute(update(ItemRow).where(ItemRow.id == item_id).values(**values))


def test_an_item_withdrawn_while_the_edition_was_composed_stops_it(store: Store) -> None:
    items = add_items(store, 2)
    set_item(store, items[0][0], state=ItemState.RETRACTED)
    with pytest.raises(EditionError, match="withdrawn, merged or split meanwhile"):
        freeze(store, draft_of(items))
    assert _issued(store) == []


def test_what_was_no_news_stands_in_an_edition_only_as_the_original_of_what_is(store: Store) -> None:
    (known, story), (copy, _) = add_items(store, 2)
    set_item(store, known, state=ItemState.KNOWN)
    with pytest.raises(EditionError, match="withdrawn, merged or split meanwhile"):
        freeze(store, draft_of([(known, story)]))
    set_item(store, copy, story_id=story)
    freeze(store, draft_of([(known, story)]))
    assert _issued(store) == [story]

    def told() -> list[int]:
        return [item.id for item in Items(store).told("daily", weekly_id="daily.weekly", since=NOW - timedelta(days=8))]

    assert told() == [known]
    set_item(store, copy, state=ItemState.RETRACTED)
    assert told() == [], "and an edition of the week could not be frozen with it"


def test_of_composers_that_freeze_the_same_story_at_once_one_wins(store: Store) -> None:
    add_people(store, 50)
    items = add_items(store, 2)
    ready = threading.Barrier(4)

    def compose(number: int) -> bool:
        draft = draft_of(items if number % 2 else items[::-1], edition_id=f"daily-{number}", number=number)
        ready.wait()
        try:
            return freeze(store, draft) == 50
        except EditionError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(compose, range(4))) == [False, False, False, True]
    assert len(Editions(store).listed()) == 1


def test_an_edition_moves_as_the_table_of_moves_says(store: Store) -> None:
    freeze(store, draft_of(add_items(store, 1)), state=EditionState.AWAITING)
    editions = Editions(store)
    for after in (EditionState.APPROVED, EditionState.PAUSED, EditionState.APPROVED):
        assert editions.move("daily-2026-11-23", after, now=NOW).state is after
    with pytest.raises(MoveError):
        editions.move("daily-2026-11-23", EditionState.AWAITING, now=NOW)
    assert editions.get("daily-2026-11-23").state is EditionState.APPROVED


def test_an_edition_cancelled_before_anything_was_begun_gives_its_stories_back(store: Store) -> None:
    edition = frozen(store, 3)
    editions = Editions(store)
    with open_ledger(store) as ledger:
        one = claim_all(ledger, limit=1)[0]
        begin(ledger, [one])
        record(ledger, [outcome(one, DeliveryState.QUEUED, because="the relay was not there", counts=False)])
    editions.move(edition, EditionState.CANCELLED, because="wrong date", now=NOW)
    report = editions.report(edition)
    assert report.suppressed == report.recipients == 3
    assert report.reasons == ((DeliveryState.SUPPRESSED, "the edition was cancelled: wrong date", 3),)
    assert _issued(store) == []


@pytest.mark.parametrize(
    "state",
    [DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNKNOWN],
)
def test_an_edition_cancelled_after_an_attempt_keeps_its_stories(store: Store, state: DeliveryState) -> None:
    edition = frozen(store, 3)
    with open_ledger(store) as ledger:
        one = claim_all(ledger, limit=1)[0]
        begin(ledger, [one])
        if state is not DeliveryState.SENDING:
            record(ledger, [outcome(one, state, due_at=LATER)])
    Editions(store).move(edition, EditionState.CANCELLED, now=NOW)
    report = Editions(store).report(edition)
    assert report.suppressed == (3 if state is DeliveryState.DEFERRED else 2)
    assert report.recipients == 3
    assert len(_issued(store)) == 1


def test_an_edition_is_finished_when_everyone_has_an_outcome(store: Store) -> None:
    edition, paused = frozen(store, 4), frozen(store, 1, list_id="other")
    editions = Editions(store)
    editions.move(paused, EditionState.PAUSED, now=NOW)
    with open_ledger(store) as ledger:
        first, second, third, fourth = claim_all(ledger)
        deliver(ledger, [first])
        deliver(ledger, [second], DeliveryState.FAILED)
        deliver(ledger, [third], DeliveryState.UNKNOWN)
        begin(ledger, [fourth])
        assert editions.finish(now=NOW) == ()
        record(ledger, [outcome(fourth, DeliveryState.DEFERRED, due_at=LATER)])
        assert editions.finish(now=NOW) == ()
        (again,) = claim_all(ledger, now=LATER)
        begin(ledger, [again], now=LATER)
        record(ledger, [outcome(again)], now=LATER)
    assert editions.finish(now=LATER) == (edition,)
    assert editions.finish(now=LATER) == ()
    assert editions.get(edition).state is EditionState.FINISHED


def test_a_report_adds_up_and_groups_its_reasons(store: Store) -> None:
    edition = frozen(store, 10)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger, limit=8)
        deliver(ledger, claimed[:2])
        deliver(ledger, claimed[2:5], DeliveryState.FAILED, because="no such mailbox")
        deliver(ledger, claimed[5:6], DeliveryState.FAILED, because="refused by policy")
        deliver(ledger, claimed[6:7], DeliveryState.DEFERRED, because="greylisted")
        assert Editions(store).report(edition) == Report(
            edition=edition,
            recipients=10,
            queued=3,
            sent=2,
            deferred=1,
            failed=4,
            reasons=(
                (DeliveryState.FAILED, "no such mailbox", 3),
                (DeliveryState.DEFERRED, "greylisted", 1),
                (DeliveryState.FAILED, "refused by policy", 1),
            ),
        )
