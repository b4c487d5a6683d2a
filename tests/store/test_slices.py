"""An edition's recipients are written down in slices: nobody is left out or written down twice, whoever does it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from newsletter.errors import EditionError
from newsletter.model.delivery import DeliveryState, Report
from newsletter.model.edition import Draft, EditionState
from newsletter.model.subscriber import SubscriptionState
from newsletter.model.variant import Group, Place, Variant, Variants
from newsletter.store.census import Census
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.tables import DeliveryRow, EditionRow, SubscriptionRow
from tests.store.samples import (
    NOW,
    add_items,
    add_people,
    claim_all,
    deliver,
    draft_of,
    join,
    open_ledger,
    prefer,
    rendered_of,
    set_subscription,
)

FIRST = 3


def _editions(store: Store) -> Editions:
    return Editions(store, first=FIRST)


def _begun(store: Store, draft: Draft, *, variants: Variants | None = None) -> int:
    """Freeze an edition and write down the first of its recipients."""
    named = {"slot": draft.id, "state": EditionState.APPROVED, "now": NOW}
    return _editions(store).freeze(draft, rendered_of(draft), variants=variants, **named)  # type: ignore[arg-type]


def _some_of_ten(store: Store) -> str:
    """The id of an edition for ten people, the first of whom are written down."""
    add_people(store, 10)
    draft = draft_of(add_items(store, 1))
    assert _begun(store, draft) == FIRST
    return draft.id


def _finish_freezing(store: Store) -> None:
    while _editions(store).freeze_more(most=2):
        pass


def _written(store: Store, edition_id: str) -> list[int]:
    """Subscriptions, in the order in which they were written down."""
    query = select(DeliveryRow.subscription_id).where(DeliveryRow.edition_id == edition_id).order_by(DeliveryRow.id)
    with store.read() as connection:
        return list(connection.scalars(query))


def _set_state(store: Store, edition_id: str, state: EditionState) -> None:
    """As a program does that knows nothing of slices."""
    with store.write() as connection:
        connection.execute(update(EditionRow).where(EditionRow.id == edition_id).values(state=state))


def test_the_first_recipients_come_with_the_edition_and_each_slice_goes_on_where_the_last_one_came_to(
    store: Store,
) -> None:
    people = add_people(store, 10)
    draft = draft_of(add_items(store, 1))
    assert _begun(store, draft) == FIRST
    come = [len(_written(store, draft.id))]
    while _editions(store).freeze_more(most=2):
        come.append(len(_written(store, draft.id)))
    assert come == [3, 5, 7, 9, 10]
    assert tuple(_written(store, draft.id)) == people


def test_who_is_still_to_come_counts_as_queued(store: Store) -> None:
    edition = _some_of_ten(store)
    with open_ledger(store) as ledger:
        deliver(ledger, claim_all(ledger))
    assert Editions(store).report(edition) == Report(edition=edition, recipients=10, sent=3, queued=7)
    assert Census(store).deliveries(edition) == {DeliveryState.SENT: 3, DeliveryState.QUEUED: 7}


def test_an_edition_is_not_finished_before_everybody_was_written_down(store: Store) -> None:
    edition = _some_of_ten(store)
    with open_ledger(store) as ledger:
        deliver(ledger, claim_all(ledger))
        assert Editions(store).finish(now=NOW) == ()
        _finish_freezing(store)
        deliver(ledger, claim_all(ledger))
    assert Editions(store).finish(now=NOW) == (edition,)
    assert Editions(store).report(edition) == Report(edition=edition, recipients=10, sent=10)


def test_who_joins_meanwhile_is_not_in_it_and_who_leaves_gets_nothing(store: Store) -> None:
    first, *_, last = people = add_people(store, 10)
    draft = draft_of(add_items(store, 1))
    _begun(store, draft)
    set_subscription(store, last, SubscriptionState.LEFT)
    add_people(store, 4, first=10)
    _finish_freezing(store)
    assert _written(store, draft.id) == list(people[:-1])
    assert first in people


def test_only_those_of_its_segment_and_rhythm_are_written_down(store: Store) -> None:
    people = add_people(store, 10)
    with store.write() as connection:
        some = SubscriptionRow.id.in_(people[::5])
        connection.execute(update(SubscriptionRow).where(some).values(weekly=True))
    draft = draft_of(add_items(store, 1))
    digest = replace(draft.digest, weekly="0 8 * * sat", segment='field.number != "9"')
    _begun(store, replace(draft, digest=digest))
    _finish_freezing(store)
    assert _written(store, draft.id) == [one for one in people[:-1] if one not in people[::5]]


def test_an_edition_that_is_called_off_comes_to_nobody_else(store: Store) -> None:
    edition = _some_of_ten(store)
    Editions(store).move(edition, EditionState.CANCELLED, now=NOW)
    assert not _editions(store).freeze_more(most=2)
    report = Editions(store).report(edition)
    assert (report.recipients, report.suppressed) == (3, 3)


def test_nor_does_one_that_an_older_program_called_off(store: Store) -> None:
    edition = _some_of_ten(store)
    _set_state(store, edition, EditionState.CANCELLED)
    _finish_freezing(store)
    assert len(_written(store, edition)) == 3


def test_one_that_an_older_program_took_for_finished_goes_on(store: Store) -> None:
    edition = _some_of_ten(store)
    _set_state(store, edition, EditionState.FINISHED)
    _finish_freezing(store)
    assert len(_written(store, edition)) == 10
    assert Editions(store).get(edition).state is EditionState.APPROVED


def test_one_that_is_paused_or_waits_for_an_editor_is_written_down_and_stays_so(store: Store) -> None:
    edition = _some_of_ten(store)
    Editions(store).move(edition, EditionState.PAUSED, now=NOW)
    _finish_freezing(store)
    assert len(_written(store, edition)) == 10
    assert Editions(store).get(edition).state is EditionState.PAUSED


def test_several_that_write_down_the_same_edition_write_nobody_down_twice(store: Store) -> None:
    people = add_people(store, 60)
    draft = draft_of(add_items(store, 1))
    _begun(store, draft)
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(_finish_freezing, store) for _ in range(3)]:
            done.result()
    assert sorted(_written(store, draft.id)) == list(people)


def _had_it(group: Group) -> Place:
    return Place(variant="1" if group.seen else "")


def _variants(store: Store, draft: Draft) -> Variants:
    """Who had something gets the form "1"."""
    form = Variant(name="1", document="1", left_out=(draft.pieces[0].story_id,))
    forms = ((Variant(), None), (form, rendered_of(draft)))
    return Variants(readership=_editions(store).readership(draft), forms=forms, place=_had_it)


def _forms(store: Store, edition_id: str) -> dict[int, str]:
    """By subscriber."""
    query = select(DeliveryRow.subscriber_id, DeliveryRow.variant).where(DeliveryRow.edition_id == edition_id)
    with store.read() as connection:
        return {row.subscriber_id: row.variant for row in connection.execute(query)}


@pytest.fixture
def evening(store: Store) -> tuple[Draft, Sequence[int]]:
    """An edition with a story of the morning's, whose ten readers, and no others, are among its twelve; and its
    readers. Of the morning's, the first are written down.
    """
    people = add_people(store, 12)
    join(store, people[:10], "morning")
    items = add_items(store, 2)
    _begun(store, draft_of(items[:1], edition_id="morning-1", list_id="morning"))
    return draft_of(items), people


def test_who_is_about_to_get_a_story_has_it(store: Store, evening: tuple[Draft, Sequence[int]]) -> None:
    draft, _ = evening
    variants = _variants(store, draft)
    assert sorted((group.readers, bool(group.seen)) for group in variants.readership.groups) == [(2, False), (10, True)]
    _begun(store, draft, variants=variants)
    _finish_freezing(store)
    assert sorted(_forms(store, draft.id).values()) == ["", "", *["1"] * 10]
    report = Editions(store).report(draft.id)
    assert (report.recipients, report.queued) == (12, 12)


def test_an_edition_with_the_same_story_that_was_frozen_since_sends_it_back(
    store: Store, evening: tuple[Draft, Sequence[int]]
) -> None:
    draft, _ = evening
    variants = _variants(store, draft)
    _begun(store, replace(draft, id="noon-1", mailing_list=replace(draft.mailing_list, id="noon")))
    with pytest.raises(EditionError, match="frozen meanwhile"):
        _begun(store, draft, variants=variants)


def test_who_changes_their_mind_meanwhile_is_not_told_again_what_they_had(
    store: Store, evening: tuple[Draft, Sequence[int]]
) -> None:
    draft, people = evening
    # Topics are looked at since somebody has some.
    prefer(store, people[0], topics='["Land"]')
    _begun(store, draft, variants=_variants(store, draft))
    prefer(store, people[8], topics='["Seas"]')
    prefer(store, people[11], topics='["Seas"]')
    _finish_freezing(store)
    by_subscriber = _forms(store, draft.id)
    assert [by_subscriber[one] for one in sorted(by_subscriber)] == [*["1"] * 10, "", ""]
