"""An SMTP server on loopback that keeps what it gets: what a demo mails to, and what the sender is tested against."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections import Counter
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, Final, Self, TypeVar, cast

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from newsletter.mailbox.box import Box, MemoryBox
from newsletter.mailbox.script import Act, Answer, Script

_T = TypeVar("_T")

_YES: Final = "250 2.0.0 kept"
# Long enough for RFC 6531's addresses with our tokens in them; the library's 512 counts the whole line.
_LINE_BYTES: Final = 2048
_SIZE_BYTES: Final = 50 * 1024 * 1024

EXTENSIONS: Final = frozenset({"PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE"})

# It logs every command with the addresses in it.
logging.getLogger("mail.log").setLevel(logging.WARNING)


class MailboxServer:
    """Takes mail on a loopback port, inside the running event loop: `async with MailboxServer() as server: …`.

    It listens again on the same port after `stop` and `start`. `counts` has how many mails were kept for each
    recipient (in lower case), whatever the box still holds. `script` may be exchanged at any time.
    """

    def __init__(
        self,
        box: Box | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        script: Script | None = None,
        extensions: frozenset[str] = EXTENSIONS,
        size_bytes: int = _SIZE_BYTES,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.box = MemoryBox() if box is None else box
        self.host = host
        self.port = port
        self.script = Script() if script is None else script
        self.extensions = extensions
        self.size_bytes = size_bytes
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.login = login
        self.counts: Counter[str] = Counter()
        self.connections = 0
        """How many were ever opened."""
        self.sessions: set[_Session] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; `port` is the real one from now on."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Session(self, loop),
            self.host,
            self.port,
            ssl=self.tls if self.implicit_tls else None,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is None:
            return
        self._server.close()
        await asyncio.gather(*(session.end() for session in self.sessions))
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def keep(self, sender: str, recipients: tuple[str, ...], content: bytes) -> None:
        """Put a mail into the box; returns when it is there."""
        await asyncio.to_thread(self.box.keep, sender=sender, recipients=recipients, content=content)
        self.counts.update(recipient.lower() for recipient in recipients)


class _Session(SMTP):
    """One connection. The library wants a protocol that is subclassed, and a handler: this is both."""

    line_length_limit = 64 * 1024  # keeps even what breaks RFC 5322's limit of 998, so that one can see it

    def __init__(self, server: MailboxServer, loop: asyncio.AbstractEventLoop) -> None:
        self._mailbox = server
        self._greeted = False
        super().__init__(
            _Handler(server),
            hostname="mailbox.localhost",
            ident="newsletter mailbox",
            data_size_limit=server.size_bytes,
            enable_SMTPUTF8="SMTPUTF8" in server.extensions,
            tls_context=None if server.implicit_tls else server.tls,
            authenticator=_authenticator(server.login),
            auth_require_tls=server.tls is not None and not server.implicit_tls,
            loop=loop,
        )
        for verb in ("MAIL", "RCPT"):
            self.command_size_limits[verb] = _LINE_BYTES

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self not in self._mailbox.sessions:  # it comes here again after STARTTLS
            self._mailbox.sessions.add(self)
            self._mailbox.connections += 1
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._mailbox.sessions.discard(self)
        super().connection_lost(error)

    async def push(self, status: str | bytes) -> None:
        """The library's one way out, and so the place for another greeting."""
        line = status if isinstance(status, str) else status.decode()
        if not self._greeted:
            self._greeted = True
            line = await self.answered(self._mailbox.script.at_greeting(), line)
        await super().push(line)

    async def answered(self, answer: Answer, usual: str) -> str:
        """The reply to give, `usual` if the script has nothing else; does not return if the connection is cut."""
        if answer == Act.YES:
            return usual
        if isinstance(answer, Act):
            self.cut()
            await asyncio.Event().wait()
        if answer.startswith("421") and self.transport is not None:
            # After the reply: it is written before the loop comes round again.
            self.loop.call_soon(self.transport.close)
        return answer

    def cut(self) -> None:
        """Drop the connection as a machine that dies does."""
        if self.transport is not None:
            # uvloop's transports are what asyncio calls one without saying so.
            cast("asyncio.WriteTransport", self.transport).abort()

    async def end(self) -> None:
        """Drop the connection and wait until nothing of it is left."""
        self.cut()
        # The library waits for the next command for ever when TLS was given up half way.
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
            await asyncio.wait({self._handler_coroutine})


class _Handler:
    """The hooks the library calls by name."""

    def __init__(self, server: MailboxServer) -> None:
        self._mailbox = server

    async def handle_EHLO(  # noqa: N802 the library's name
        self, _: _Session, session: Any, __: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        *lines, last = [line for line in responses if self._offered(line)]
        pipelining = ["250-PIPELINING"] if "PIPELINING" in self._mailbox.extensions else []
        return [*lines, *pipelining, "250-ENHANCEDSTATUSCODES", last]

    def _offered(self, line: str) -> bool:
        word = line[4:].partition(" ")[0]
        if word == "AUTH":
            return self._mailbox.login is not None
        return word not in EXTENSIONS or word in self._mailbox.extensions

    async def handle_MAIL(  # noqa: N802 the library's name
        self, session: _Session, state: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self._mailbox.login is not None and not state.authenticated:
            return "530 5.7.0 log in first"
        reply = await session.answered(self._mailbox.script.at_mail(), _YES)
        if reply.startswith("2"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return reply

    async def handle_RCPT(  # noqa: N802 the library's name
        self, session: _Session, _: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        reply = await session.answered(self._mailbox.script.at_rcpt(address), _YES)
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return reply

    async def handle_DATA(self, session: _Session, _: Any, envelope: Any) -> str:  # noqa: N802 the library's name
        script = self._mailbox.script
        answer = script.at_data(envelope.rcpt_tos[0])
        if script.delay:
            await asyncio.sleep(script.delay)
        if script.hold is not None:
            await script.hold.wait()
        if answer in {Act.YES, Act.KEEP_AND_CUT} or answer.startswith("2"):
            await self._mailbox.keep(envelope.mail_from, tuple(envelope.rcpt_tos), bytes(envelope.content))
        return await session.answered(answer, _YES)


def _authenticator(login: tuple[str, str] | None) -> Any:
    def check(_: object, __: object, ___: object, ____: str, given: Any) -> AuthResult:
        assert login is not None
        expected = tuple(word.encode() for word in login)
        same = isinstance(given, LoginPassword) and (given.login, given.password) == expected
        return AuthResult(success=same, handled=False)

    return None if login is None else check


class MailboxThread:
    """The same server in a thread of its own, for callers without a loop: `with MailboxThread() as server: …`."""

    def __init__(self, server: MailboxServer | None = None) -> None:
        self.server = MailboxServer() if server is None else server
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mailbox", daemon=True)

    def __enter__(self) -> MailboxServer:
        self._thread.start()
        self._run(self.server.start())
        return self.server

    def __exit__(self, *_: object) -> None:
        self._run(self.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        started: Future[_T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return started.result(timeout=10)
