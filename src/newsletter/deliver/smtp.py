"""The only door to aiosmtplib: one connection to a relay, and what exactly is known when it breaks.

The library connects, encrypts, greets and logs in. A message goes command by command, so that at each moment it is
known whether the final dot can have left: before it nothing was sent, after it the message may have been accepted.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from dataclasses import dataclass
from errno import errorcode
from functools import cache
from ipaddress import ip_address
from typing import Final, cast

import aiosmtplib

from newsletter.deliver.wire import ehlo_name, needs, path, reply_from, stuffed, without_addresses
from newsletter.errors import RelayError
from newsletter.model.delivery import Reply
from newsletter.model.message import Message
from newsletter.model.settings import Relay, Tls

# A message that fits what an idle socket takes at once goes out in one write with its final dot. Of a larger one the
# dot is kept back until all the rest has left, so that losing the connection on the way is no doubt at all.
_AT_ONCE_BYTES: Final = 64 * 1024
_POLL_SECONDS: Final = 0.005
_SERVICE_CLOSING: Final = 421
_START_INPUT: Final = 354
_TOO_LARGE: Final = 552
_QUIT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds; the last three as RFC 5321 section 4.5.3.2 has them. A server that sorts out spam takes its time."""

    connect: float = 30.0
    command: float = 300.0
    block: float = 180.0
    """Until the socket takes more of a message."""
    final_dot: float = 600.0


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

    @property
    def is_open(self) -> bool:
        """Whether it was opened and, as far as is known, not closed by the relay."""
        return self._smtp is not None and self._smtp.is_connected

    async def open(self) -> None:
        """Connect, encrypt as the relay's settings say, greet and log in. RelayError if that cannot be done."""
        self.begun = self.welcome = self.used = False
        self.opening = True
        try:
            self._smtp = await self._opened()
        finally:
            self.opening = False

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

    async def _transact(self, smtp: aiosmtplib.SMTP, message: Message) -> Reply:
        sender, recipient = path(message.envelope.sender), path(message.envelope.recipient)
        if sender is None or recipient is None:
            return Reply(code=553, enhanced="5.1.3", text="the address cannot be put into an SMTP command")
        content = stuffed(message.content)
        needed = needs(content, sender, recipient)
        if (lacking := self._lacking(smtp, needed, size=len(content))) is not None:
            return lacking
        options = _options(smtp, needed, size=len(content))
        for command, argument in ((b"MAIL", f"FROM:<{sender}>{options}"), (b"RCPT", f"TO:<{recipient}>")):
            reply = await self._command(smtp, command, argument)
            if reply.code // 100 != 2:  # noqa: PLR2004 a refusal
                return await self._refused(smtp, command, reply)
            self.welcome = True
        reply = await self._command(smtp, b"DATA")
        if reply.code != _START_INPUT:
            return await self._refused(smtp, b"DATA", reply)
        return await self._content(smtp, content)

    async def _command(self, smtp: aiosmtplib.SMTP, command: bytes, argument: str = "") -> Reply:
        words = (command, argument.encode()) if argument else (command,)
        response = await smtp.execute_command(*words, timeout=self._timeouts.command)
        return reply_from(response.code, response.message)

    async def _refused(self, smtp: aiosmtplib.SMTP, command: bytes, reply: Reply) -> Reply:
        """A refusal is an answer, except where it is not about this message: then the relay itself is the matter."""
        if reply.code // 100 not in {4, 5}:
            raise RelayError(self.relay.name, f"it answered {command.decode()} with {reply.code}")
        if command == b"MAIL" and _about_us(reply):
            raise RelayError(self.relay.name, f"it refused our sender: {_label(reply)}")
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
        if len(content) > _AT_ONCE_BYTES:
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
        if response.code == _SERVICE_CLOSING:
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

    def _lacking(self, smtp: aiosmtplib.SMTP, needed: frozenset[str], *, size: int) -> Reply | None:
        """The relay's answer to what it does not offer, known without asking."""
        missing = [name for name in sorted(needed, reverse=True) if not smtp.supports_extension(name)]
        if missing:
            enhanced = "5.6.7" if missing[0] == "SMTPUTF8" else "5.6.3"
            return Reply(code=554, enhanced=enhanced, text=f"relay {self.relay.name} does not offer {missing[0]}")
        limit = smtp.esmtp_extensions.get("size", "")
        if limit.isdecimal() and 0 < int(limit) < size:
            text = f"relay {self.relay.name} takes {limit} bytes, the message has {size}"
            return Reply(code=552, enhanced="5.3.4", text=text)
        return None


def _options(smtp: aiosmtplib.SMTP, needed: frozenset[str], *, size: int) -> str:
    options = ""
    if smtp.supports_extension("size"):
        options += f" SIZE={size}"
    if "8BITMIME" in needed:
        options += " BODY=8BITMIME"
    if "SMTPUTF8" in needed:
        options += " SMTPUTF8"
    return options


def _about_us(reply: Reply) -> bool:
    """Whether a refusal of MAIL would meet everybody: a relay that does not know us must not cost anyone a delivery."""
    if reply.code == _TOO_LARGE or reply.enhanced.endswith(".3.4"):
        return False
    return reply.code == _SERVICE_CLOSING or reply.code // 100 == 5  # noqa: PLR2004


def _label(reply: Reply) -> str:
    return " ".join(word for word in (str(reply.code), reply.enhanced, without_addresses(reply.text)) if word)


def _in_words(exc: Exception) -> str:
    if isinstance(exc, aiosmtplib.SMTPResponseException):
        reply = reply_from(exc.code, exc.message)
        return f"it answered {_label(reply)}"
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
