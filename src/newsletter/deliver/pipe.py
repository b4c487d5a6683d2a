"""A connection on which a message's content and the next one's MAIL, RCPT and DATA leave together (RFC 2920).

Every reply is read and judged. A message's content leaves only when its own MAIL, RCPT and DATA are accepted, so at
each moment at most one message can be in doubt: the one whose final dot is out and whose reply is not in.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Generic, Protocol, TypeVar

from newsletter.deliver.replies import Replies
from newsletter.deliver.wire import SERVICE_CLOSING, START_INPUT, Offer, Packed, is_about_us, label, reply_from
from newsletter.model.delivery import Reply

# A message that fits what an idle socket takes at once goes out in one write with its final dot. Of a larger one the
# dot is kept back until all the rest has left, so that losing the connection on the way is no doubt at all.
AT_ONCE_BYTES: Final = 64 * 1024
_POLL_SECONDS: Final = 0.002
_QUIT_SECONDS: Final = 5.0
_OKAY: Final = 2
_REFUSALS: Final = (4, 5)
_COMMANDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds; the last three as RFC 5321 section 4.5.3.2 has them. A server that sorts out spam takes its time."""

    connect: float = 30.0
    command: float = 300.0
    block: float = 180.0
    """Until the socket takes more of a message."""
    final_dot: float = 600.0


class Cargo(Protocol):
    """Something with a message to send."""

    @property
    def packed(self) -> Packed: ...


C = TypeVar("C", bound=Cargo)


@dataclass(frozen=True, slots=True, kw_only=True)
class End(Generic[C]):
    """How a connection ended by itself, and with what on it."""

    because: str
    doubtful: C | None = None
    """Its final dot was out and its reply was not in."""
    unsent: C | None = None
    """It was under way, and cannot have been accepted."""
    welcome: bool = False
    """Whether the relay had taken the sender of what is unsent: its end may be that message's doing."""
    used: bool = False
    """Whether the connection had brought an answer before."""
    orderly: bool = False
    """Whether the relay closed it after an answer, as 421 says: nothing is wrong."""


class Carrier(Protocol[C]):
    """Who gives a connection what to send, and is told what came of it. Called inside the event loop."""

    def next(self) -> C | None:
        """The next to go, begun in the ledger; None if there is none now (then `wake` is called later)."""

    def start(self, cargo: C, go: Callable[[str | None], None]) -> None:
        """Its content is about to leave. `go` is called, now or in a moment: with None, and there is no way back, or
        with why it must not.
        """

    def answered(self, cargo: C, reply: Reply) -> None:
        """The relay's answer to it: its first refusal, or what it says to the whole."""

    def settled(self) -> None:
        """All that the last bytes brought has been told."""

    def ended(self, end: End[C]) -> None:
        """The connection is gone; called once, and not after `quit`."""


class _Step(Enum):
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    DOT = auto()
    LONE_DOT = auto()
    RSET = auto()
    QUIT = auto()


_ENVELOPE: Final = (_Step.MAIL, _Step.RCPT, _Step.DATA)


class Pipe(asyncio.Protocol, Generic[C]):
    """The pipelined use of a transport that was opened, greeted and logged in by somebody else."""

    def __init__(self, transport: asyncio.Transport, carrier: Carrier[C], *, offer: Offer, timeouts: Timeouts) -> None:
        self._transport = transport
        self._carrier = carrier
        self._offer = offer
        self._timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        self._replies = Replies()
        self._awaited: deque[_Step] = deque()
        self._flying: C | None = None
        """Its content is leaving or has left; its last reply is not in."""
        self._dotted = False
        """Whether the final dot of what is flying was written."""
        self._ahead: C | None = None
        """Its MAIL, RCPT and DATA were written; its content was not."""
        self._refusal: tuple[_Step, Reply] | None = None
        self._welcome = False
        self._used = False
        self._over = False
        self._deadline = self._rings_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._gone = self._loop.create_future()
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """Whether it can be written to, as far as is known."""
        return not self._over and not self._transport.is_closing()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is on it."""
        return self._flying is None and self._ahead is None

    @property
    def in_doubt(self) -> bool:
        """Whether a message's final dot is out and its reply not in."""
        return self._flying is not None and self._dotted

    def wake(self) -> None:
        """There may be something to send."""
        if self._ahead is None and not self._over and self._may_go_ahead() and (envelope := self._next_envelope()):
            self._write(envelope)
            self._expect()

    def abandon(self, because: str) -> None:
        """Give up what is on it, at once."""
        self._end(because)

    async def quit(self) -> None:
        """Say QUIT if anybody still listens, and hang up."""
        if not self._over:
            self._over = True
            self._stop_timer()
            if not self._transport.is_closing():
                self._transport.write(b"QUIT\r\n")
                await asyncio.wait([self._gone], timeout=_QUIT_SECONDS)
        self._transport.abort()

    # What the event loop calls

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        try:
            replies = self._replies.fed(data)
        except ValueError as error:
            self._end(f"it sent {error}")
            return
        for code, text in replies:
            self._take(code, text)
            if self._over:
                return
        if replies:
            self._expect()
        self._carrier.settled()

    def eof_received(self) -> bool:
        self._end("it hung up")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._gone.done():
            self._gone.set_result(None)
        self._end(str(exc).lower() if exc is not None and str(exc) else "connection lost")

    # Replies

    def _take(self, code: int, text: str) -> None:
        if not self._awaited:
            reply = reply_from(code, text)
            self._end(f"it said {label(reply)} unasked", orderly=code == SERVICE_CLOSING)
            return
        step = self._awaited.popleft()
        if step in _ENVELOPE:
            self._take_of_envelope(step, code, text)
        elif step is _Step.DOT:
            self._take_final(code, text)
        elif step is _Step.LONE_DOT:
            self._refused(reset=False, closing=code == SERVICE_CLOSING)
        elif code // 100 != _OKAY:
            self._end(f"it answered RSET with {label(reply_from(code, text))}")

    def _take_of_envelope(self, step: _Step, code: int, text: str) -> None:
        if step is _Step.DATA and code == START_INPUT:
            if self._refusal is None:
                self._send_content()
            else:
                # It takes input for nobody: a lone dot ends it (RFC 2920 section 3.1), and nobody gets anything.
                self._awaited.append(_Step.LONE_DOT)
                self._write(b".\r\n")
            return
        if step is not _Step.DATA and code // 100 == _OKAY:
            self._welcome = self._welcome or step is _Step.MAIL
            return
        if self._refusal is None:
            self._refusal = (step, reply_from(code, text))
            if code // 100 not in _REFUSALS:
                self._end(f"it answered {step.name} with {code}")
                return
            if step is _Step.MAIL and is_about_us(self._refusal[1]):
                self._end(f"it refused our sender: {label(self._refusal[1])}")
                return
        if step is _Step.DATA or code == SERVICE_CLOSING:
            self._refused(reset=True, closing=code == SERVICE_CLOSING)

    def _refused(self, *, reset: bool, closing: bool) -> None:
        """What was ahead has its answer; make the connection ready for the next."""
        cargo, refusal = self._ahead, self._refusal
        assert cargo is not None
        assert refusal is not None
        self._ahead = self._refusal = None
        self._used = True
        self._carrier.answered(cargo, refusal[1])
        if closing:
            self._end(f"it closed the connection: {label(refusal[1])}", orderly=True)
            return
        self._write((b"RSET\r\n" if reset else b"") + self._next_envelope(reset=reset))

    def _take_final(self, code: int, text: str) -> None:
        cargo = self._flying
        assert cargo is not None
        if code // 100 not in (_OKAY, *_REFUSALS):
            self._end(f"it answered a message with {code}")
            return
        self._flying = None
        self._used = True
        reply = reply_from(code, text)
        self._carrier.answered(cargo, reply)
        if code == SERVICE_CLOSING:
            self._end(f"it closed the connection: {label(reply)}", orderly=True)
        elif self._ahead is None:
            self._write(self._next_envelope())

    # Writing

    def _may_go_ahead(self) -> bool:
        # Nothing goes between a message's content and its final dot.
        return self._flying is None or self._dotted

    def _next_envelope(self, *, reset: bool = False) -> bytes:
        """MAIL, RCPT and DATA of the next that the relay can take, expected to be answered; empty if there is none."""
        if reset:
            self._awaited.append(_Step.RSET)
        while (cargo := self._carrier.next()) is not None:
            if (lacking := self._offer.lacking(cargo.packed)) is not None:
                self._carrier.answered(cargo, lacking)
                continue
            self._ahead, self._refusal, self._welcome = cargo, None, False
            self._awaited.extend(_ENVELOPE)
            return self._offer.envelope(cargo.packed)
        return b""

    def _send_content(self) -> None:
        cargo = self._ahead
        assert cargo is not None
        self._carrier.start(cargo, self._go)

    def _go(self, because: str | None) -> None:
        cargo = self._ahead
        if self._over or cargo is None:
            return
        if because is not None:
            # The server waits for content now: only hanging up keeps it from getting any.
            self._end(because, orderly=True)
            return
        self._ahead, self._flying, self._dotted = None, cargo, False
        ready = cargo.packed
        if ready.size > AT_ONCE_BYTES:
            self._transport.writelines(ready.pieces)
            self._send_dot_when_written(self._loop.time() + self._timeouts.block, left=ready.size + 1)
        else:
            self._send_dot(ready.pieces)
            self._expect()

    def _send_dot(self, pieces: Sequence[bytes] = ()) -> None:
        self._dotted = True
        self._awaited.append(_Step.DOT)
        ending = b".\r\n" + self._next_envelope()
        self._transport.writelines((*pieces, ending))

    def _send_dot_when_written(self, deadline: float, *, left: int) -> None:
        """Send the final dot once the socket has taken everything; an event loop tells that only to who asks."""
        if self._over:
            return
        now, still_left = self._loop.time(), self._transport.get_write_buffer_size()
        if self._transport.is_closing():
            # A write that failed empties the buffer too; `connection_lost` comes next.
            return
        if not still_left:
            self._send_dot()
            self._expect()
        elif still_left >= left and now > deadline:
            self._end("it takes no more of the message")
        else:
            if still_left < left:
                deadline = now + self._timeouts.block
            self._loop.call_later(_POLL_SECONDS, lambda: self._send_dot_when_written(deadline, left=still_left))

    def _write(self, data: bytes) -> None:
        if data:
            self._transport.write(data)

    # Time, and the end

    def _expect(self) -> None:
        """An answer is due from now on, if any is. The timer is left alone while it rings early enough."""
        if not self._awaited:
            return
        self._deadline = self._loop.time() + self._patience()
        if self._timer is None or self._deadline < self._rings_at:
            self._stop_timer()
            self._rings_at = self._deadline
            self._timer = self._loop.call_at(self._deadline, self._look_at_clock)

    def _patience(self) -> float:
        return self._timeouts.final_dot if self._dotted and self._flying is not None else self._timeouts.command

    def _look_at_clock(self) -> None:
        self._timer = None
        if self._over or not self._awaited:
            return
        if self._loop.time() >= self._deadline:
            self._end("it does not answer")
        else:
            self._rings_at = self._deadline
            self._timer = self._loop.call_at(self._deadline, self._look_at_clock)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self, because: str, *, orderly: bool = False) -> None:
        if self._over:
            return
        self._over = True
        self._stop_timer()
        self._transport.abort()
        doubt = self.in_doubt
        # Content without its final dot was not accepted by anybody.
        unsent = self._ahead if self._flying is None or doubt else self._flying
        welcome = self._welcome or (self._flying is not None and not doubt)
        end = End(
            because=because,
            doubtful=self._flying if doubt else None,
            unsent=unsent,
            welcome=welcome,
            used=self._used,
            orderly=orderly,
        )
        self._flying = self._ahead = None
        self._carrier.ended(end)
