import asyncio
from collections.abc import Awaitable, Callable, Sequence

from newsletter.collect.turns import Turn, Turns
from newsletter.model.feed import FeedHealth


class _Leases:
    """Gives out leases, but not for the feeds at `taken`; remembers what was taken together."""

    def __init__(self, *taken: int) -> None:
        self.groups: list[list[int]] = []
        self._taken = taken

    async def take(self, places: Sequence[int]) -> Sequence[FeedHealth | None]:
        self.groups.append(list(places))
        await asyncio.sleep(0)
        return [None if at in self._taken else FeedHealth(feed_id=str(at), url="http://a.example/") for at in places]


Ask = Callable[[Turns], Awaitable[list[Turn]]]


def _turns(hosts: Sequence[Sequence[int]], ask: Ask, *, leases: _Leases, ahead: int = 4) -> list[Turn]:
    async def run() -> list[Turn]:
        turns = Turns(hosts, take=leases.take, ahead=ahead)
        async with asyncio.TaskGroup() as group:
            group.create_task(turns.fill())
            return await ask(turns)

    return asyncio.run(run())


async def _each_in_turn(turns: Turns) -> list[Turn]:
    asked = []
    while (turn := await turns.next()) is not None:
        asked.append(turn)
        turns.over(turn)
    return asked


def test_every_feed_has_its_turn_with_what_is_known_of_it_and_then_there_is_none() -> None:
    asked = _turns([[at] for at in range(30)], _each_in_turn, leases=_Leases(7))
    assert [turn.place for turn in asked] == list(range(30))
    assert [turn.leased and turn.leased.feed_id for turn in asked] == [None if n == 7 else str(n) for n in range(30)]


def test_without_feeds_there_is_no_turn() -> None:
    assert _turns([], _each_in_turn, leases=_Leases()) == []


def test_no_more_feeds_than_may_hold_a_lease_before_their_turn() -> None:
    leases = _Leases()
    waiting: list[int] = []

    async def ask(turns: Turns) -> list[Turn]:
        asked: list[Turn] = []
        while (turn := await turns.next()) is not None:
            asked.append(turn)
            waiting.append(sum(map(len, leases.groups)) - len(asked))
            turns.over(turn)
        return asked

    _turns([[at] for at in range(30)], ask, leases=leases, ahead=6)
    assert max(waiting) < 6
    assert max(map(len, leases.groups)) == 6


def test_leases_are_taken_when_so_many_are_wanted_that_it_is_worth_a_transaction() -> None:
    leases = _Leases()
    _turns([[at] for at in range(30)], _each_in_turn, leases=leases, ahead=6)
    assert min(map(len, leases.groups)) >= 3


def test_a_host_with_many_feeds_is_asked_for_the_next_when_it_has_answered_and_before_others_begin() -> None:
    leases = _Leases()

    async def ask(turns: Turns) -> list[Turn]:
        first = await turns.next()
        assert first is not None
        second = await turns.next()
        assert second is not None
        assert (first.place, second.place) == (0, 3)
        turns.over(second)
        assert not {1, 2} & {at for group in leases.groups for at in group}
        turns.over(first)
        return [first, second, *await _each_in_turn(turns)]

    asked = _turns([[0, 1, 2], [3], [4], [5]], ask, leases=leases, ahead=2)
    assert [turn.place for turn in asked] == [0, 3, 1, 4, 2, 5]


def test_a_host_that_needs_a_pause_is_asked_again_after_it() -> None:
    async def ask(turns: Turns) -> list[Turn]:
        first = await turns.next()
        assert first is not None
        turns.over(first, pause=0.001)
        return [first, *await _each_in_turn(turns)]

    asked = _turns([[0, 1], [2], [3]], ask, leases=_Leases())
    assert sorted(turn.place for turn in asked) == [0, 1, 2, 3]
    assert [turn.place for turn in asked].index(1) == 3
