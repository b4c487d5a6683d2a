from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.mailbox.server import MailboxServer, MailboxThread
from tests.site.partner import Partner
from tests.site.program import Program


@pytest.fixture
def partner() -> Iterator[Partner]:
    with Partner() as running:
        yield running


@pytest.fixture
def mailbox() -> Iterator[MailboxServer]:
    with MailboxThread() as running:
        yield running


@pytest.fixture
def program(tmp_path: Path, mailbox: MailboxServer) -> Program:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return Program(tmp_path / "site", mailbox, web_port=port)
