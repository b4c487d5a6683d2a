"""What tests of sending share: an edition to send, messages for it, and one call that sends it all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from newsletter.deliver.send import Counts, Limits, send_due
from newsletter.mailbox.server import MailboxServer
from newsletter.model.clock import SystemClock
from newsletter.model.delivery import Claimed, Report
from newsletter.model.message import Envelope, Message
from newsletter.model.settings import Deliver, Relay, Tls
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.ledger import Ledger
from tests.store.samples import NOW

POLICY = Deliver()


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop run until something is the case that nobody announces."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


def message_for(claimed: Claimed) -> Message:
    content = f"From: brief@news.example\r\nTo: {claimed.address}\r\nSubject: {claimed.batch}\r\n\r\nHello\r\n"
    envelope = Envelope(sender=f"bounces+{claimed.id}@bounce.example", recipient=claimed.address)
    return Message(envelope=envelope, content=content.encode())


def relay_to(server: MailboxServer, *, name: str = "main", connections: int = 4, weight: int = 1) -> Relay:
    return Relay(name=name, host=server.host, port=server.port, tls=Tls.NONE, connections=connections, weight=weight)


@dataclass(slots=True)
class LateClock:
    """A clock that runs from the moment at which the samples are frozen, or some time ahead of it."""

    ahead: timedelta = timedelta(0)
    _started_at: datetime = field(default_factory=SystemClock().now)

    def now(self) -> datetime:
        return NOW + (SystemClock().now() - self._started_at) + self.ahead


@dataclass(slots=True, kw_only=True)
class Press:
    """Sends what is due in a store; counts what came back."""

    store: Store
    ledger: Ledger
    relays: tuple[Relay, ...]
    prepare: Callable[[Claimed], Message] = message_for
    limits: Limits = field(default_factory=Limits)
    clock: LateClock = field(default_factory=LateClock)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    on_progress: Callable[[Counts], None] | None = None

    async def send(self, *, owner: str = "test") -> Counts:
        return await send_due(
            self.ledger,
            prepare=self.prepare,
            relays=self.relays,
            hostname="news.example",
            policy=POLICY,
            clock=self.clock,
            owner=owner,
            stop=self.stop,
            limits=self.limits,
            on_progress=self.on_progress,
            luck=lambda: 0.0,
        )

    def report(self, edition: str) -> Report:
        return Editions(self.store).report(edition)
