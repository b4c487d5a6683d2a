"""What tests of sending share: an edition to send, messages for it, and one call that sends it all."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from newsletter.deliver.ballot import Alarm
from newsletter.deliver.gate import Gate
from newsletter.deliver.journal import Journal
from newsletter.deliver.recover import settle_journals
from newsletter.deliver.send import Counts, Limits, send_due
from newsletter.mailbox.server import MailboxServer
from newsletter.model.clock import SystemClock
from newsletter.model.delivery import Claimed, Report
from newsletter.model.message import Envelope, Message
from newsletter.model.settings import Deliver, Paces, Relay, Tls
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.ledger import Ledger
from newsletter.store.pacing import Pacing
from tests.store.samples import NOW

POLICY = Deliver()
NO_PACES = Paces(zone=ZoneInfo("Europe/London"))


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop run until something is the case that nobody announces."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


@asynccontextmanager
async def cutting(content: bytes) -> AsyncIterator[int]:
    """The port of a server that takes the first bit of one message, of which its kernel never holds half, and dies.

    The sender's event loop comes late to it: then the broken connection and everything that waits for a moment's
    passing are there at once.
    """
    loop = asyncio.get_running_loop()

    async def serve() -> None:
        sock, _ = await loop.sock_accept(listening)
        with sock:
            await loop.sock_sendall(sock, b"220 hello\r\n")
            for answer in (b"250-hello\r\n250 PIPELINING\r\n", b"250 fine\r\n250 fine\r\n354 go on\r\n"):
                await loop.sock_recv(sock, 10_000)
                await loop.sock_sendall(sock, answer)
            await loop.sock_recv(sock, 1_000)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        time.sleep(0.02)  # noqa: ASYNC251 it is the loop that is to be late

    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, len(content) // 8)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        serving = asyncio.create_task(serve())
        yield listening.getsockname()[1]
        await serving


def held(server: MailboxServer) -> int:
    """How many messages a server has, with their final dots, and has not answered."""
    return sum(session.envelope is not None and session.envelope.content is not None for session in server.sessions)


def message_for(claimed: Claimed) -> Message:
    content = f"From: brief@news.example\r\nTo: {claimed.address}\r\nSubject: {claimed.batch}\r\n\r\nHello\r\n"
    envelope = Envelope(sender=f"bounces+{claimed.id}@bounce.example", recipient=claimed.address)
    return Message(envelope=envelope, pieces=(content.encode(),))


def relay_to(server: MailboxServer, *, name: str = "main", connections: int = 4, weight: int = 1) -> Relay:
    return Relay(name=name, host=server.host, port=server.port, tls=Tls.NONE, connections=connections, weight=weight)


def failed_before(times: int, *, seconds_ago: float, relay: str = "main") -> dict[str, Gate]:
    """What is known of a relay that failed so often in a row, the last time so long ago."""
    gate, at = Gate(), asyncio.get_running_loop().time() - seconds_ago
    for _ in range(times):
        gate.fail(at, probe=True, because="it was away")
    return {relay: gate}


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
    journals: Path
    """Where the sender keeps its journal."""
    prepare: Callable[[Claimed], Message] = message_for
    paces: Paces = NO_PACES
    limits: Limits = field(default_factory=Limits)
    gates: Mapping[str, Gate] | None = None
    """What earlier runs learnt about the relays."""
    clock: LateClock = field(default_factory=LateClock)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    on_progress: Callable[[Counts], None] | None = None
    act: Callable[[Alarm], str] | None = None

    async def send(self, *, owner: str = "test") -> Counts:
        with Journal(self.journals, owner=owner) as journal:
            return await self.send_with(journal, owner=owner)

    def recover(self, *, alone: bool = True) -> tuple[int, int]:
        """What a start does before it sends: (unknown, requeued)."""
        now = self.clock.now()
        settled = settle_journals(self.journals, self.ledger, now=now)
        recovered = self.ledger.recover(now=now, alone=alone)
        return settled[0] + recovered[0], settled[1] + recovered[1]

    async def send_with(self, journal: Journal, *, owner: str = "test") -> Counts:
        """The same with a given journal."""
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
            gates=self.gates,
            journal=journal,
            pacing=Pacing(self.store),
            paces=self.paces,
            on_progress=self.on_progress,
            act=self.act,
            luck=lambda: 0.0,
        )

    def report(self, edition: str) -> Report:
        return Editions(self.store).report(edition)
