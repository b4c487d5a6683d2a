"""A connection to a relay that offers no PIPELINING, fed in the same way as one that does: one after the other."""

from __future__ import annotations

import asyncio
from typing import Generic

from newsletter.deliver.pipe import C, Carrier, End
from newsletter.deliver.smtp import Connection
from newsletter.errors import RelayError


class Steps(Generic[C]):
    """Sends what its carrier has, command by command, in a task of its own."""

    def __init__(self, connection: Connection, carrier: Carrier[C]) -> None:
        self._connection = connection
        self._carrier = carrier
        self._cargo: C | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can be written to, as far as is known."""
        return self._connection.is_open

    @property
    def is_idle(self) -> bool:
        """Whether nothing is on it."""
        return self._cargo is None

    @property
    def in_doubt(self) -> bool:
        """Whether a message's final dot is out and its reply not in."""
        return self._cargo is not None and self._connection.begun

    def wake(self) -> None:
        """There may be something to send."""
        if self._cargo is None and (self._task is None or self._task.done()):
            self._cargo = self._carrier.next()
            if self._cargo is not None:
                self._task = asyncio.create_task(self._run())

    def abandon(self, because: str) -> None:
        """Give up what is on it, at once."""
        cargo, doubt = self._cargo, self.in_doubt
        if self._task is not None and cargo is not None:
            self._task.cancel()
            self._over(cargo, because=because, doubt=doubt)

    async def _run(self) -> None:
        carrier, connection = self._carrier, self._connection
        while (cargo := self._cargo) is not None:
            if (because := await self._started(cargo)) is not None:
                self._over(cargo, because=because, doubt=False, orderly=True)
                return
            try:
                reply = await connection.send_packed(cargo.packed)
            except RelayError as error:
                self._over(cargo, because=error.because, doubt=error.begun)
                return
            self._cargo = None
            carrier.answered(cargo, reply)
            carrier.settled()
            if not connection.is_open:
                carrier.ended(End(because="it closed the connection", used=True, orderly=True))
                return
            self._cargo = carrier.next()

    async def _started(self, cargo: C) -> str | None:
        told: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._carrier.start(cargo, lambda because: None if told.done() else told.set_result(because))
        return await told

    def _over(self, cargo: C, *, because: str, doubt: bool, orderly: bool = False) -> None:
        self._cargo = None
        self._carrier.ended(
            End(
                because=because,
                doubtful=cargo if doubt else None,
                unsent=None if doubt else cargo,
                welcome=self._connection.welcome,
                used=self._connection.used,
                orderly=orderly,
            )
        )
