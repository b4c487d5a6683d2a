"""Whose turn it is to be asked: one feed of each host at a time, leased a little ahead of its turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from newsletter.model.feed import FeedHealth

_FEW = 16
_APART_SECONDS = 0.05
"""Between two takings of few: a commit costs the same for one and for a hundred, and nobody notices the wait."""

Taking = Callable[[Sequence[int]], Awaitable[Sequence[FeedHealth | None]]]
"""Leases the feeds at these places; None for one that another worker has."""


@dataclass(slots=True, kw_only=True)  # one for each feed of a sweep: frozen ones take three times as long
class Turn:
    """A feed that may be asked now: its place among all, its lease, and the places of its host's further feeds."""

    place: int
    leased: FeedHealth | None
    rest: Sequence[int]


class Turns:
    """The turns of feeds, given by their places, those of one host together; at most `ahead` wait with a lease.

    Few are ahead, because leases run out.
    """

    def __init__(self, hosts: Iterable[Sequence[int]], *, take: Taking, ahead: int) -> None:
        self._wanted = deque(hosts)
        self._take = take
        self._ahead = ahead
        self._ready: asyncio.Queue[Turn | None] = asyncio.Queue()
        self._begun = 0
        """Hosts of which a feed has a lease, is asked, or will be after a pause."""
        self._stirred = asyncio.Event()

    async def next(self) -> Turn | None:
        """The next turn, to be told `over` when its host has answered; None when all feeds had theirs."""
        turn = await self._ready.get()
        if turn is None:
            self._ready.put_nowait(None)
        elif self._has_room():
            self._stirred.set()
        return turn

    def over(self, turn: Turn, *, pause: float = 0) -> None:
        """Let the host of a turn be asked for its next feed, after some seconds."""
        if turn.rest and pause:
            asyncio.get_running_loop().call_later(pause, self._want, turn.rest)
        elif turn.rest:
            self._want(turn.rest)
        else:
            self._begun -= 1
            if not self._begun:
                self._stirred.set()

    def _want(self, rest: Sequence[int]) -> None:
        # Before hosts that have not begun: who has many feeds takes longest.
        self._begun -= 1
        self._wanted.appendleft(rest)
        self._stirred.set()

    async def fill(self) -> None:
        """Take leases ahead until all feeds had their turn."""
        loop = asyncio.get_running_loop()
        free_at = 0.0
        while self._wanted or self._begun:
            if not self._wanted or not self._has_room():
                self._stirred.clear()
                await self._stirred.wait()
                continue
            if len(self._wanted) < _FEW and (early := free_at - loop.time()) > 0:
                await asyncio.sleep(early)
            await self._lease([self._wanted.popleft() for _ in range(min(len(self._wanted), self._room()))])
            free_at = loop.time() + _APART_SECONDS
        self._ready.put_nowait(None)

    def _room(self) -> int:
        return self._ahead - self._ready.qsize()

    def _has_room(self) -> bool:
        """Whether so many can be leased that it is worth a transaction."""
        return 2 * self._room() >= self._ahead

    async def _lease(self, hosts: Sequence[Sequence[int]]) -> None:
        self._begun += len(hosts)
        healths = await self._take([places[0] for places in hosts])
        for places, leased in zip(hosts, healths, strict=True):
            self._ready.put_nowait(Turn(place=places[0], leased=leased, rest=places[1:]))
