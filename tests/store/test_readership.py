"""Who gets which form of an edition, found by the database: what readers prefer, and what they have had before."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import select, update

from newsletter.errors import EditionError
from newsletter.model.delivery import DeliveryState
from newsletter.model.edition import Draft, EditionState
from newsletter.model.publication import AlreadySent
from newsletter.model.variant import HAD_IT_ALL, Group, Place, Readership, Variant, Variants
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.items import Items
from newsletter.store.tables import DeliveryRow, ItemRow, SubscriptionRow
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
)


def _tell(store: Store, item: int, story: int) -> None:
    """Let an item tell another story."""
    with store.write() as connection:
        connection.execute(update(ItemRow).where(ItemRow.id == item).values(story_id=story))


def _by_seen(group: Group) -> Place:
    """Everybody who had something gets the form "1"; who had two or more stories gets nothing."""
    if len(group.seen) > 1:
        return Place(variant=None, because=HAD_IT_ALL)
    return Place(variant="1", spared=True, nearest=True) if group.seen else Place(variant="")


def _freeze(
    store: Store,
    draft: Draft,
    *,
    readership: Readership | None = None,
    place: Callable[[Group], Place] = _by_seen,
) -> int:
    editions = Editions(store)
    form = Variant(name="1", document="1", left_out=(draft.pieces[0].story_id,))
    variants = Variants(
        readership=readership or editions.readership(draft),
        forms=((Variant(), None), (form, rendered_of(draft))),
        place=place,
    )
    now, state = NOW, EditionState.APPROVED
    return editions.freeze(draft, rendered_of(draft), slot=draft.id, state=state, now=now, variants=variants)


def _deliveries(store: Store, edition_id: str) -> Counter[tuple[str, DeliveryState]]:
    query = select(DeliveryRow.variant, DeliveryRow.state).where(DeliveryRow.edition_id == edition_id)
    with store.read() as connection:
        return Counter((row.variant, row.state) for row in connection.execute(query))


def test_where_nobody_prefers_anything_and_nothing_was_sent_there_are_no_groups(store: Store) -> None:
    add_people(store, 3)
    assert Editions(store).readership(draft_of(add_items(store, 2))) == Readership()


def test_readers_are_grouped_by_what_theyprefer(store: Store) -> None:
    first, second, third, *_ = add_people(store, 5)
    prefer(store, first, topics='["Seas"]')
    prefer(store, second, text_only=True, language="de-AT")
    prefer(store, third, topics='["Seas"]')
    (others,) = add_people(store, 1, list_id="other")
    prefer(store, others, topics='["Land"]')
    groups = Editions(store).readership(draft_of(add_items(store, 1))).groups
    assert set(groups) == {
        Group(topics=("Seas",), readers=2),
        Group(text_only=True, language="de-AT", readers=1),
        Group(readers=2),
    }


def test_readers_who_speak_our_own_language_are_not_told_apart(store: Store) -> None:
    prefer(store, add_people(store, 2)[0], language="en-GB")
    assert Editions(store).readership(draft_of(add_items(store, 1))) == Readership()


def test_what_a_reader_had_from_any_other_edition_is_known(store: Store) -> None:
    items = add_items(store, 3)
    both, *_ = brief = add_people(store, 4)
    join(store, brief[:2], "morning")
    join(store, (both,), "noon")
    _freeze(store, draft_of(items[:1], edition_id="morning-1", list_id="morning"))
    _freeze(store, draft_of(items[1:2], edition_id="noon-1", list_id="noon"))
    groups = Editions(store).readership(draft_of(items)).groups
    stories = [story for _, story in items]
    assert set(groups) == {
        Group(seen=frozenset(stories[:2]), readers=1),
        Group(seen=frozenset(stories[:1]), readers=1),
        Group(readers=2),
    }


def test_who_had_it_gets_their_form_and_who_would_get_nothing_is_not_sent_it(store: Store) -> None:
    items = add_items(store, 3)
    brief = add_people(store, 6)
    join(store, brief[:3], "morning")
    join(store, brief[:1], "noon")
    _freeze(store, draft_of(items[:1], edition_id="morning-1", list_id="morning"))
    _freeze(store, draft_of(items[1:2], edition_id="noon-1", list_id="noon"))
    draft = draft_of(items)
    assert _freeze(store, draft) == 6
    assert _deliveries(store, draft.id) == {
        ("", DeliveryState.QUEUED): 3,
        ("1", DeliveryState.QUEUED): 2,
        ("", DeliveryState.SUPPRESSED): 1,
    }
    report = Editions(store).report(draft.id)
    assert (report.recipients, report.queued, report.suppressed) == (6, 5, 1)
    assert (report.variants, report.left_out, report.shortened, report.not_sent) == (2, 2, 0, 1)
    assert report.nearest == 2
    assert report.reasons == ((DeliveryState.SUPPRESSED, HAD_IT_ALL, 1),)
    with open_ledger(store) as ledger:
        claimed = claim_all(ledger)
    assert Counter(one.variant for one in claimed if one.batch == draft.id) == {"": 3, "1": 2}


def test_what_a_reader_had_is_had_whatever_story_it_is_taken_for_since(store: Store) -> None:
    (split, old), (merged, other), (kept, story) = items = add_items(store, 3)
    join(store, add_people(store, 1), "morning")
    _freeze(store, draft_of(items[:2], edition_id="morning-1", list_id="morning"))
    ((_, new),) = add_items(store, 1)
    _tell(store, split, new)
    _tell(store, merged, story)
    (group,) = Editions(store).readership(draft_of([(split, new), (kept, story)])).groups
    assert group.seen == {new, story}
    assert Editions(store).readership(draft_of([(kept, old), (kept, other)])) == Readership()


def test_a_week_has_nothing_again_whatever_story_it_is_taken_for_since(store: Store) -> None:
    (split, _), (merged, _), (_, story) = items = add_items(store, 3)
    daily = replace(draft_of(items).digest, weekly="0 8 * * sat")
    week = daily.companion
    assert week is not None
    _freeze(store, replace(draft_of(items), digest=daily))
    _freeze(store, replace(draft_of(items[:2], edition_id="week", number=2), digest=week))
    _tell(store, merged, story)
    ((_, new),) = add_items(store, 1)
    _tell(store, split, new)
    assert Items(store).told("daily", weekly_id=week.id, since=NOW) == ()


def test_what_was_left_out_for_a_reader_was_not_had(store: Store) -> None:
    first, second = items = add_items(store, 2)
    (reader,) = people = add_people(store, 1, list_id="morning")
    for name in ("noon", "evening"):
        join(store, people, name)
    _freeze(store, draft_of([first], edition_id="morning-1", list_id="morning"))
    _freeze(store, draft_of([first, second], edition_id="noon-1", list_id="noon"))
    # At noon the first story was left out; had the morning edition failed, they would not have had it at all.
    with store.write() as connection:
        failed = update(DeliveryRow).where(DeliveryRow.edition_id == "morning-1")
        connection.execute(failed.values(state=DeliveryState.FAILED))
    groups = Editions(store).readership(draft_of(items, edition_id="evening-1", list_id="evening")).groups
    assert groups == (Group(seen=frozenset({second[1]}), readers=1),)
    assert reader


def test_what_was_left_out_for_an_edition_that_is_cancelled_then_is_counted_with_it(store: Store) -> None:
    items = add_items(store, 3)
    brief = add_people(store, 6)
    join(store, brief[:4], "morning")
    _freeze(store, draft_of(items[:2], edition_id="morning-1", list_id="morning"))
    add_people(store, 1, list_id="morning")
    _freeze(store, draft_of(items[1:], edition_id="daily-2"))
    editions = Editions(store)
    with open_ledger(store) as ledger:
        deliver(ledger, [one for one in claim_all(ledger) if one.batch == "morning-1"][:1])
        ledger.release("one")
    assert editions.report("morning-1").missed == 0
    editions.move("morning-1", EditionState.CANCELLED, now=NOW)
    assert (editions.report("morning-1").sent, editions.report("morning-1").missed) == (1, 3)
    assert editions.report("daily-2").missed == 0
    again = draft_of(items[:2], edition_id="evening-1", list_id="evening")
    join(store, brief[:4], "evening")
    seen = {group.seen: group.readers for group in editions.readership(again).groups}
    stories = [story for _, story in items]
    assert seen == {frozenset(stories[:2]): 1, frozenset(): 3}, "what was cancelled unsent was not had"


def test_who_was_not_sent_anything_for_it_misses_it_too(store: Store) -> None:
    items = add_items(store, 2)
    join(store, add_people(store, 3)[:2], "morning")
    _freeze(store, draft_of(items, edition_id="morning-1", list_id="morning"))
    _freeze(store, draft_of(items, edition_id="daily-2"))
    Editions(store).move("morning-1", EditionState.CANCELLED, now=NOW)
    assert Editions(store).report("morning-1").missed == 2


@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.SENT])
def test_only_what_reached_somebody_or_may_yet_counts_as_had(store: Store, state: DeliveryState) -> None:
    items = add_items(store, 1)
    join(store, add_people(store, 2), "morning")
    _freeze(store, draft_of(items, edition_id="morning-1", list_id="morning"))
    with open_ledger(store) as ledger:
        deliver(ledger, claim_all(ledger), state)
    groups = Editions(store).readership(draft_of(items)).groups
    seen = frozenset({items[0][1]}) if state is DeliveryState.SENT else frozenset[int]()
    assert groups == (Group(seen=seen, readers=2),)


def test_an_edition_frozen_in_between_sends_it_back_to_be_composed_again(store: Store) -> None:
    items = add_items(store, 1)
    join(store, add_people(store, 2), "morning")
    draft = draft_of(items)
    before = Editions(store).readership(draft)
    _freeze(store, draft_of(items, edition_id="morning-1", list_id="morning"))
    with pytest.raises(EditionError, match="compose again"):
        _freeze(store, draft, readership=before)
    assert [each.id for each in Editions(store).listed()] == ["morning-1"]


def test_each_recipient_can_be_shown_their_own_form(store: Store) -> None:
    items = add_items(store, 2)
    brief = add_people(store, 2)
    join(store, brief[:1], "morning")
    _freeze(store, draft_of(items[:1], edition_id="morning-1", list_id="morning"))
    draft = draft_of(items)
    _freeze(store, draft)
    editions = Editions(store)
    with store.read() as connection:
        query = select(SubscriptionRow.subscriber_id).where(SubscriptionRow.id.in_(brief)).order_by(SubscriptionRow.id)
        people = connection.scalars(query).all()
    places = [editions.variant_for(draft.id, person) for person in people]
    assert [place.variant if place else None for place in places] == ["1", ""]
    assert editions.variant(draft.id, "1").left_out == (items[0][1],)
    assert editions.variant_for(draft.id, 999) is None


def test_who_wants_one_edition_a_week_gets_no_other(store: Store) -> None:
    items = add_items(store, 2)
    weekly, *_ = add_people(store, 3)
    with store.write() as connection:
        connection.execute(update(SubscriptionRow).where(SubscriptionRow.id == weekly).values(weekly=True))
    daily = replace(draft_of(items).digest, weekly="0 8 * * sat", already_sent=AlreadySent.KEEP)
    week = daily.companion
    assert week is not None
    editions = Editions(store)
    assert (editions.anybody_weekly("brief"), editions.anybody_weekly("other")) == (True, False)
    assert _freeze(store, replace(draft_of(items), digest=daily)) == 2
    told = Items(store).told("daily", weekly_id=week.id, since=NOW)
    assert {item.id for item in told} == {item for item, _ in items}
    assert week.already_sent is AlreadySent.LEAVE_OUT, "a week has nothing that its readers had"
    assert _freeze(store, replace(draft_of(items, edition_id="week", number=2), digest=week)) == 1
    assert Items(store).told("daily", weekly_id=week.id, since=NOW) == ()
    assert [each.id for each in editions.published("brief", first=1, last=9)] == ["daily-2026-11-23"]


def test_of_two_lists_that_freeze_the_same_story_at_once_the_second_composes_again(store: Store) -> None:
    items = add_items(store, 1)
    join(store, add_people(store, 3), "morning")
    drafts = [draft_of(items), draft_of(items, edition_id="morning-1", list_id="morning")]
    readerships = [Editions(store).readership(draft) for draft in drafts]
    ready = Barrier(2)

    def compose(number: int) -> bool:
        ready.wait()
        try:
            return _freeze(store, drafts[number], readership=readerships[number]) == 3
        except EditionError:
            return False

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(compose, range(2))) == [False, True]


def test_freezing_stops_no_other_writer_and_forgets_nobody_who_changes_their_mind_meanwhile(store: Store) -> None:
    first, second, _ = add_people(store, 3)
    prefer(store, first, topics='["Seas"]')
    draft = draft_of(add_items(store, 1))

    def place(group: Group) -> Place:
        with store.write(serial=True):  # as imports and polls do
            pass
        prefer(store, second, topics='["Land"]')
        return _by_seen(group)

    assert _freeze(store, draft, place=place) == 3
    assert _deliveries(store, draft.id) == {("", DeliveryState.QUEUED): 3}
