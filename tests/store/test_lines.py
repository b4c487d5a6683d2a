"""Deliveries for a provider that is held back get in line for it; nobody behind them waits."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from newsletter.model.delivery import DeliveryState
from newsletter.model.edition import EditionState
from newsletter.model.message import LetterKind
from newsletter.model.pacing import Lines
from newsletter.model.providers import Providers
from newsletter.store.editions import Editions, locked_edition
from newsletter.store.engine import Store
from newsletter.store.ledger import Ledger
from newsletter.store.letters import Letters
from newsletter.store.pacing import Pacing
from newsletter.store.tables import DeliveryRow
from tests.store.samples import LATER, LEASE, NOW, claim_all, deliver, frozen, move_house, open_ledger
from tests.store.together import is_held_up

HELD = Lines(provider_of=Providers().of, until={"google": LATER}, takes={})


def _edition(store: Store, people: int, *, at_google: int = 0, number: int = 1, list_id: str = "brief") -> str:
    """An edition for so many people, of whom the first have their mailboxes with Google."""
    edition = frozen(store, people, number=number, list_id=list_id)
    move_house(store, at_google, to="gmail.com", list_id=list_id)
    return edition


def _claim(ledger: Ledger, lines: Lines | None, *, limit: int = 10, now: datetime = NOW) -> list[str]:
    """Domains of what is leased."""
    claimed = ledger.claim(owner="one", limit=limit, now=now, lease=LEASE, lines=lines)
    return [one.address.rpartition("@")[2] for one in claimed]


def _in_line(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).where(DeliveryRow.waits_for == "google")) or 0


def test_nobody_waits_behind_a_provider_that_is_held_back(store: Store) -> None:
    edition = _edition(store, 60, at_google=50)
    with open_ledger(store) as ledger:
        assert _claim(ledger, HELD) == ["brief.example"] * 10
        assert _claim(ledger, HELD) == []
    assert _in_line(store) == 50
    report = Editions(store).report(edition)
    assert (report.queued, report.waiting) == (60, (("google", 50),))


def test_what_is_in_line_is_taken_in_the_number_that_is_wanted(store: Store) -> None:
    _edition(store, 30, at_google=20)
    with open_ledger(store) as ledger:
        assert Counter(_claim(ledger, HELD, limit=30)) == {"brief.example": 10}
        assert _claim(ledger, replace(HELD, takes={"google": 3}), limit=30) == ["gmail.com"] * 3
        assert _claim(ledger, replace(HELD, takes={"google": 99}), limit=5) == ["gmail.com"] * 5
    assert _in_line(store) == 12


def test_who_is_held_back_no_more_comes_out_of_the_line_and_gets_into_none(store: Store) -> None:
    _edition(store, 30, at_google=20)
    with open_ledger(store) as ledger:
        _claim(ledger, HELD, limit=25)
        free = replace(HELD, until={}, takes={"google": 99})
        assert Counter(_claim(ledger, free, limit=99)) == {"gmail.com": 20, "brief.example": 5}
    assert _in_line(store) == 0


def test_a_line_that_nobody_asks_for_is_due_again_by_itself(store: Store) -> None:
    _edition(store, 5, at_google=5)
    with open_ledger(store) as ledger:
        assert _claim(ledger, HELD) == []
        assert _claim(ledger, None, now=LATER - timedelta(seconds=1)) == []
        assert ledger.next_due_at() == LATER
        assert _claim(ledger, None, now=LATER) == ["gmail.com"] * 5
    assert _in_line(store) == 0


def test_a_deferred_delivery_stands_in_line_as_deferred(store: Store) -> None:
    edition = _edition(store, 4, at_google=4)
    much_later = replace(HELD, until={"google": LATER + timedelta(hours=1)})
    with open_ledger(store) as ledger:
        deliver(ledger, claim_all(ledger), DeliveryState.DEFERRED, because="slow down")
        assert _claim(ledger, much_later, now=LATER) == []
        assert Editions(store).report(edition).deferred == _in_line(store) == 4
        assert len(_claim(ledger, replace(much_later, takes={"google": 9}), now=LATER)) == 4


def test_a_provider_that_is_resumed_lets_its_line_go(store: Store) -> None:
    _edition(store, 4, at_google=4)
    with open_ledger(store) as ledger:
        Pacing(store).pause("google", because="on their block list", now=NOW)
        assert _claim(ledger, HELD) == []
        assert Pacing(store).resume("google")
        assert _claim(ledger, None) == ["gmail.com"] * 4


def test_who_resumes_a_provider_lets_who_calls_an_edition_off_end_first(store: Store) -> None:
    if store.is_sqlite:
        pytest.skip("one writer at a time: nobody can wait for one who waits for them")
    edition = _edition(store, 2, at_google=2)
    with open_ledger(store) as ledger, ThreadPoolExecutor(1) as pool:
        assert _claim(ledger, HELD) == []
        with store.write() as connection:
            locked_edition(connection, edition)
            resumed = pool.submit(Pacing(store).resume, "google")
            assert is_held_up(store, resumed), "else it has rows that this one needs next"
            free = select(DeliveryRow.id).with_for_update(skip_locked=True)
            assert len(connection.execute(free).all()) == 2
        assert resumed.result(30) is False


def test_what_was_leased_can_get_in_line_unless_it_is_somebody_elses_by_now(store: Store) -> None:
    _edition(store, 4, at_google=4)
    with open_ledger(store) as ledger:
        first, *rest = claim_all(ledger)
        assert ledger.line_up([first], HELD) == 1
        assert ledger.line_up([first, replace(rest[0], fence=9)], HELD) == 0
        assert _in_line(store) == 1
        assert len(deliver(ledger, rest)) == 3
        assert ledger.line_up(rest, HELD) == 0


def test_a_line_is_fair_between_editions(store: Store) -> None:
    for number in (1, 2):
        _edition(store, 40, at_google=40, number=number, list_id=f"list-{number}")
    with open_ledger(store) as ledger:
        assert _claim(ledger, HELD) == []
        taken = ledger.claim(owner="one", limit=10, now=NOW, lease=LEASE, lines=replace(HELD, takes={"google": 10}))
    assert Counter(one.batch for one in taken) == {"list-1-1": 5, "list-2-2": 5}


@pytest.mark.parametrize("after", [EditionState.CANCELLED, EditionState.PAUSED])
def test_decisions_reach_those_in_line(store: Store, after: EditionState) -> None:
    edition = _edition(store, 4, at_google=4)
    with open_ledger(store) as ledger:
        assert _claim(ledger, HELD) == []
        Editions(store).move(edition, after, now=NOW)
        assert _claim(ledger, replace(HELD, takes={"google": 9})) == []
    cancelled = after is EditionState.CANCELLED
    assert _in_line(store) == (0 if cancelled else 4)
    assert Editions(store).report(edition).suppressed == (4 if cancelled else 0)


def test_letters_get_in_line_too(store: Store) -> None:
    _edition(store, 2, at_google=1)
    Letters(store).enqueue(LetterKind.WELCOME, 1, key="once", now=NOW)
    with open_ledger(store) as ledger:
        assert _claim(ledger, HELD) == ["brief.example"]
        assert _claim(ledger, replace(HELD, takes={"google": 1})) == ["gmail.com"]
        assert ledger.next_due_at() is not None


def test_a_small_edition_is_not_stuck_behind_a_large_one(store: Store) -> None:
    large = _edition(store, 500, list_id="large")
    small = _edition(store, 20, number=2, list_id="small")
    with open_ledger(store) as ledger:
        taken = [one.batch for _ in range(2) for one in claim_all(ledger, limit=20)]
    assert Counter(taken) == {large: 20, small: 20}


def test_with_more_editions_than_a_batch_has_room_each_gets_its_turn(store: Store) -> None:
    editions = [_edition(store, 9, number=number, list_id=f"list-{number}") for number in range(1, 6)]
    with open_ledger(store) as ledger:
        taken = [one.batch for _ in range(10) for one in claim_all(ledger, limit=1)]
    assert Counter(taken) == dict.fromkeys(editions, 2)
