from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.mailbox.server import MailboxServer, MailboxThread
from tests.ports import free_port
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
    return Program(tmp_path / "site", mailbox, web_port=free_port())
