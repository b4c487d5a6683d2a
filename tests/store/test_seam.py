import asyncio
import threading
from collections.abc import Sequence

import pytest

from newsletter.store.seam import Together, finished


class _Store:
    """Keeps the groups it was asked for. The first call waits until it is let go; `bad` operations fail their group."""

    def __init__(self, *bad: int) -> None:
        self.groups: list[list[int]] = []
        self.busy = threading.Event()
        self.go_on = threading.Event()
        self._bad = frozenset(bad)

    def call(self, group: Sequence[int]) -> Sequence[int]:
        self.groups.append(list(group))
        self.busy.set()
        self.go_on.wait(30)
        if refused := self._bad & set(group):
            raise ValueError(f"refused {sorted(refused)}")
        return [10 * op for op in group]


async def _asked(store: _Store, ops: Sequence[int], *, most: int = 100) -> list[int | BaseException]:
    """Answers: to one operation that is asked while the store is idle, to the others while it is busy with the first."""
    together = Together(store.call, most=most)
    first = together.ask(ops[0])
    await asyncio.to_thread(store.busy.wait, 30)
    rest = [together.ask(op) for op in ops[1:]]
    store.go_on.set()
    return await asyncio.gather(*map(finished, (first, *rest)), return_exceptions=True)


def test_what_is_asked_during_a_call_is_the_next_group() -> None:
    store = _Store()
    assert asyncio.run(_asked(store, range(6))) == [0, 10, 20, 30, 40, 50]
    assert store.groups == [[0], [1, 2, 3, 4, 5]]


def test_a_group_has_no_more_than_it_may() -> None:
    store = _Store()
    asyncio.run(_asked(store, range(6), most=2))
    assert store.groups == [[0], [1, 2], [3, 4], [5]]


def test_one_that_is_refused_takes_nobody_down_with_it() -> None:
    answers = asyncio.run(_asked(_Store(4), [0, 2, 4, 6]))
    assert [answer for answer in answers if not isinstance(answer, BaseException)] == [0, 20, 60]
    assert str(answers[2]) == "refused [4]"


def test_a_store_that_is_gone_is_asked_twice_and_not_once_for_each() -> None:
    store = _Store(*range(1, 100))
    answers = asyncio.run(_asked(store, range(100)))
    assert all(isinstance(answer, ValueError) for answer in answers[1:])
    assert list(map(len, store.groups)) == [1, 99, 1, 1]


def test_who_is_cancelled_waits_until_the_store_has_answered() -> None:
    store = _Store()

    async def cancelled() -> int:
        asked = Together(store.call).ask(7)
        waiting = asyncio.create_task(finished(asked))
        await asyncio.to_thread(store.busy.wait, 30)
        waiting.cancel()
        store.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return asked.result()

    assert asyncio.run(cancelled()) == 70
