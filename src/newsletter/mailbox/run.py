"""The mailbox as a program: its server and its page, until it is stopped."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import closing

from newsletter.errors import SiteError
from newsletter.listening import listening, url_of
from newsletter.mailbox.box import Box
from newsletter.mailbox.page import mailbox_app
from newsletter.mailbox.server import MailboxServer
from newsletter.serving import serve

_HOST = "127.0.0.1"


async def run_mailbox(
    box: Box, *, port: int, web_port: int, stop: asyncio.Event, tell: Callable[[int, str], None]
) -> None:
    """Receive and show until `stop` is set. `tell` gets the ports once both listen, for 0 the ones that were free."""
    with closing(_free(web_port)) as sock:
        server = MailboxServer(box, port=port)
        try:
            await server.start()
        except OSError as exc:
            raise SiteError(f"{_HOST}:{port}", because="the port is taken: choose another with --port") from exc
        try:
            tell(server.port, url_of(sock))
            await serve(mailbox_app(box), sock, stop=stop)
        finally:
            await server.stop()


def _free(web_port: int) -> socket.socket:
    try:
        return listening(_HOST, web_port)
    except OSError as exc:
        raise SiteError(f"{_HOST}:{web_port}", because="the port is taken: choose another with --web-port") from exc
