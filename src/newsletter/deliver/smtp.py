"""The only door to aiosmtplib: one connection to a relay, and what exactly is known when it breaks.

The library connects, encrypts, greets and logs in. Where a relay offers PIPELINING the connection is then handed over
to `pipe.py`; elsewhere a message goes command by command. In both ways it is known at each moment whether the final dot
can have left: before it nothing was sent, after it the message may have been accepted.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from errno import errorcode
from functools import cache
from ipaddress import ip_address
from typing import Any, Final, cast

import aiosmtplib

from newsletter.deliver.pipe import AT_ONCE_BYTES, C, Carrier, Pipe, Timeouts
from newsletter.deliver.wire import (
    SERVICE_CLOSING,
    START_INPUT,
    Offer,
    Packed,
    ehlo_name,
    is_about_us,
    label,
    packed,
    reply_from,
)
from newsletter.errors import RelayError
from newsletter.model.delivery import Reply
from newsletter.model.message import Message
from newsletter.model.settings import Relay, Tls

_POLL_SECONDS: Final = 0.005
_QUIT_SECONDS: Final = 5.0
_OFFERS: Final = ("SIZE", "8BITMIME", "SMTPUTF8", "PIPELINING")


class Connection:
    """One connection to one relay, opened when first needed and used for many messages, one at a time.

    `hostname` is what it calls itself in EHLO. `tls` is for relays with certificates of a private authority.
    """

    def __init__(
        self, relay: Relay, *, hostname: str, timeouts: Timeouts | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.relay = relay
        self.begun = False
        """Whether the last message may have been accepted: its final dot is out, its reply not in."""
        self.welcome = False
        """Whether the relay took our sender for the last message: what happened then may be the message's doing."""
        self.used = False
        """Whether a message was answered since it was opened."""
        self.opening = False
        """Whether it is being opened just now."""
        self._hostname = ehlo_name(hostname)
        self._timeouts = timeouts or Timeouts()
        self._tls = tls
        self._smtp: aiosmtplib.SMTP | None = None
        self.offer = Offer(relay=relay.name, extensions=frozenset(), size=0)
        """What the relay said to EHLO when it was opened last."""
        self._pipe: Pipe[Any] | None = None

    @property
    def is_open(self) -> bool:
        """Whether it was opened and, as far as is known, not closed by the relay."""
        if self._pipe is not None:
            return self._pipe.is_open
        return self._smtp is not None and self._smtp.is_connected

    async def open(self) -> None:
        """Connect, encrypt as the relay's settings say, greet and log in. RelayError if that cannot be done."""
        self.begun = self.welcome = self.used = False
        self.opening, self._pipe = True, None
        try:
            self._smtp = await self._opened()
        finally:
            self.opening = False
        self.offer = _offer(self.relay.name, self._smtp)

    def pipe(self, carrier: Carrier[C]) -> Pipe[C] | None:
        """The open connection handed over for pipelining, if the relay offers that. Afterwards only `close` it here."""
        transport = self._smtp.transport if self._smtp is not None else None
        if transport is None or "PIPELINING" not in self.offer.extensions:
            return None
        # uvloop's transports are what asyncio calls one without saying so.
        made = Pipe(cast("asyncio.Transport", transport), carrier, offer=self.offer, timeouts=self._timeouts)
        self._pipe = made
        return made

    async def _opened(self) -> aiosmtplib.SMTP:
        smtp = aiosmtplib.SMTP(
            hostname=self.relay.host,
            port=self.relay.port,
            local_hostname=self._hostname,
            timeout=self._timeouts.command,
            use_tls=self.relay.tls is Tls.IMPLICIT,
            start_tls=False,
            tls_context=self._context() if self.relay.tls is Tls.IMPLICIT else None,
        )
        try:
            await smtp.connect(timeout=self._timeouts.connect)
            await self._greet(smtp)
            await self._encrypt(smtp)
            await self._log_in(smtp)
        except (aiosmtplib.SMTPException, OSError, ValueError) as exc:
            smtp.close()
            raise RelayError(self.relay.name, _in_words(exc)) from exc
        except (asyncio.CancelledError, RelayError):
            smtp.close()
            raise
        return smtp

    async def send(self, message: Message) -> Reply:
        """The relay's answer to a message: its first refusal, or what it says to the whole.

        RelayError if there is no answer; its `begun` tells whether the message may have been accepted. The connection
        is closed then, and after a 421. What the relay lacks for this one message is an answer too, in its name.
        """
        ready = packed(message)
        return ready if isinstance(ready, Reply) else await self.send_packed(ready)

    async def send_packed(self, message: Packed) -> Reply:
        """`send`, for a message that is ready for the wire."""
        self.begun = self.welcome = False
        smtp = self._smtp
        if smtp is None or not smtp.is_connected:
            raise RelayError(self.relay.name, "the connection is closed")
        try:
            reply = await self._transact(smtp, message)
        except (aiosmtplib.SMTPException, OSError) as exc:
            smtp.close()
            raise RelayError(self.relay.name, _in_words(exc), begun=self.begun) from exc
        except (asyncio.CancelledError, RelayError):
            smtp.close()
            raise
        self.used = True
        return reply

    async def close(self) -> None:
        """Say QUIT if anybody still listens, and hang up. Never raises."""
        smtp, self._smtp = self._smtp, None
        if self._pipe is not None:
            await self._pipe.quit()
            return
        if smtp is None or not smtp.is_connected:
            return
        try:
            await smtp.quit(timeout=_QUIT_SECONDS)
        except (aiosmtplib.SMTPException, OSError):
            pass
        finally:
            smtp.close()

    def _context(self) -> ssl.SSLContext:
        # Without a password, smtp:// encrypts only if offered, and an unknown certificate is still better than none at
        # all, which it would settle for (RFC 7435). A password is never shown to somebody who cannot prove his name.
        verified = self.relay.tls is not Tls.NONE or self.relay.username is not None
        return self._tls or _default_tls(verified=verified)

    async def _greet(self, smtp: aiosmtplib.SMTP) -> None:
        try:
            await smtp.ehlo()
        except aiosmtplib.SMTPHeloError:
            if not smtp.is_connected:
                raise
            await smtp.helo()

    async def _encrypt(self, smtp: aiosmtplib.SMTP) -> None:
        tls, local = self.relay.tls, _is_local(self.relay.host)
        if tls is Tls.IMPLICIT:
            return
        offered = smtp.supports_extension("starttls")
        required = tls is Tls.STARTTLS or (self.relay.username is not None and not local)
        if required and not offered:
            raise RelayError(self.relay.name, "it offers no STARTTLS, without which nothing may be sent")
        # What stays on this machine needs no encryption, and local servers' certificates are seldom real.
        if required or (offered and not local):
            await smtp.starttls(tls_context=self._context(), timeout=self._timeouts.connect)
            await self._greet(smtp)

    async def _log_in(self, smtp: aiosmtplib.SMTP) -> None:
        if self.relay.username is None:
            return
        password = self.relay.password.reveal() if self.relay.password else ""
        try:
            await smtp.login(self.relay.username, password)
        except aiosmtplib.SMTPAuthenticationError as exc:
            # Not chained: some servers repeat what they were sent.
            raise RelayError(self.relay.name, f"it refused the login ({exc.code})") from None

    async def _transact(self, smtp: aiosmtplib.SMTP, message: Packed) -> Reply:
        if (lacking := self.offer.lacking(message)) is not None:
            return lacking
        mail = f"FROM:<{message.sender}>{self.offer.options(message)}"
        for command, argument in ((b"MAIL", mail), (b"RCPT", f"TO:<{message.recipient}>")):
            reply = await self._command(smtp, command, argument)
            if reply.code // 100 != 2:  # noqa: PLR2004 a refusal
                return await self._refused(smtp, command, reply)
            self.welcome = True
        reply = await self._command(smtp, b"DATA")
        if reply.code != START_INPUT:
            return await self._refused(smtp, b"DATA", reply)
        return await self._content(smtp, b"".join(message.pieces))

    async def _command(self, smtp: aiosmtplib.SMTP, command: bytes, argument: str = "") -> Reply:
        words = (command, argument.encode()) if argument else (command,)
        response = await smtp.execute_command(*words, timeout=self._timeouts.command)
        return reply_from(response.code, response.message)

    async def _refused(self, smtp: aiosmtplib.SMTP, command: bytes, reply: Reply) -> Reply:
        """A refusal is an answer, except where it is not about this message: then the relay itself is the matter."""
        if reply.code // 100 not in {4, 5}:
            raise RelayError(self.relay.name, f"it answered {command.decode()} with {reply.code}")
        if command == b"MAIL" and is_about_us(reply):
            raise RelayError(self.relay.name, f"it refused our sender: {label(reply)}")
        if smtp.is_connected and command != b"MAIL":
            await self._reset(smtp)
        return reply

    async def _reset(self, smtp: aiosmtplib.SMTP) -> None:
        try:
            await smtp.rset(timeout=self._timeouts.command)
        except (aiosmtplib.SMTPException, OSError):
            # The answer is in already; the next message will find a new connection.
            smtp.close()

    async def _content(self, smtp: aiosmtplib.SMTP, content: bytes) -> Reply:
        protocol = smtp.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        if len(content) > AT_ONCE_BYTES:
            protocol.write(content)
            await self._written(smtp)
            content = b""
        # Nothing is awaited between write and read: the library drops replies that nobody waits for.
        protocol.write(content + b".\r\n")
        self.begun = True
        response = await protocol.read_response(timeout=self._timeouts.final_dot)
        if response.code // 100 not in {2, 4, 5}:
            raise RelayError(self.relay.name, f"it answered a message with {response.code}", begun=True)
        self.begun = False
        if response.code == SERVICE_CLOSING:
            smtp.close()
        return reply_from(response.code, response.message)

    async def _written(self, smtp: aiosmtplib.SMTP) -> None:
        """Wait until the socket has taken everything. The library keeps its own way of knowing that to itself."""
        # uvloop's transports are what asyncio calls one without saying so.
        transport = cast("asyncio.WriteTransport", smtp.transport)
        deadline = asyncio.get_running_loop().time() + self._timeouts.block
        left = transport.get_write_buffer_size()
        while left:
            await asyncio.sleep(_POLL_SECONDS)
            if not smtp.is_connected:
                raise aiosmtplib.SMTPServerDisconnected("Connection lost")
            now = asyncio.get_running_loop().time()
            still_left = transport.get_write_buffer_size()
            if still_left < left:
                deadline = now + self._timeouts.block
            elif now > deadline:
                raise aiosmtplib.SMTPTimeoutError("it takes no more of the message")
            left = still_left


def _offer(relay: str, smtp: aiosmtplib.SMTP) -> Offer:
    size = smtp.esmtp_extensions.get("size", "")
    return Offer(
        relay=relay,
        extensions=frozenset(name for name in _OFFERS if smtp.supports_extension(name)),
        size=int(size) if size.isdecimal() else 0,
    )


def _in_words(exc: Exception) -> str:
    if isinstance(exc, aiosmtplib.SMTPResponseException):
        reply = reply_from(exc.code, exc.message)
        return f"it answered {label(reply)}"
    if isinstance(exc.__cause__, ssl.SSLError | OSError):
        return _in_words(exc.__cause__)
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {exc.verify_message}"
    if isinstance(exc, aiosmtplib.SMTPException):
        return str(exc.message).lower()
    if isinstance(exc, OSError) and exc.errno is not None and exc.errno in errorcode:
        return os.strerror(exc.errno).lower()
    return str(exc) or type(exc).__name__


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@cache
def _default_tls(*, verified: bool) -> ssl.SSLContext:
    """Made once: reading the machine's certificates takes longer than a message."""
    context = ssl.create_default_context()
    if not verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
