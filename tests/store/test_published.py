from newsletter.model.edition import EditionState
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from tests.store.samples import LATER, NOW, add_items, draft_of, freeze


def _frozen(store: Store, number: int, *, list_id: str = "brief") -> str:
    draft = draft_of(add_items(store, 1), edition_id=f"{list_id}-{number}", number=number, list_id=list_id)
    freeze(store, draft, state=EditionState.AWAITING)
    return draft.id


def test_only_what_was_let_go_and_not_called_off_is_published_latest_first(store: Store) -> None:
    editions = Editions(store)
    assert editions.newest_published("brief") == 0
    ids = [_frozen(store, number) for number in range(1, 7)]
    for edition in ids[:5]:
        editions.move(edition, EditionState.APPROVED, now=NOW)
    editions.move(ids[1], EditionState.PAUSED, now=NOW)
    editions.move(ids[2], EditionState.CANCELLED, now=NOW)
    editions.move(ids[3], EditionState.FINISHED, now=LATER)
    editions.move(_frozen(store, 9, list_id="other"), EditionState.APPROVED, now=NOW)

    found = editions.published("brief", first=1, last=100)

    assert [each.id for each in found] == [ids[4], ids[3], ids[1], ids[0]]
    assert [each.state_at for each in found] == [NOW, LATER, NOW, NOW]
    assert editions.newest_published("brief") == 5
    assert [each.number for each in editions.published("brief", first=2, last=4)] == [4, 2]
    editions.move(ids[4], EditionState.CANCELLED, now=LATER)
    assert editions.newest_published("brief") == 4
