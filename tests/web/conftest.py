from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.app import App
from newsletter.mailbox.server import MailboxServer
from newsletter.site import open_site
from tests.site.partner import Article, Partner, feed_of
from tests.site.program import Program, feed_file
from tests.web.pages import Pages

STONES = "Stones & <Fields>"
"""A topic that must not end up in a page as it is."""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    program = Program(tmp_path / "site", MailboxServer(port=1), web_port=8080)
    with Partner(bodies={"/feed": feed_of(Article(headline="The quiet contest"))}) as partner:
        program.configure(
            'approval = "editor"\nweekly = "0 8 * * sat"',
            more='[lists.weekend]\ntitle = "The <Weekend>"\ndouble_opt_in = false\n',
            harbour=feed_file(f"{partner.url}/feed").replace('["Seas and Ports"]', f'["Seas and Ports", "{STONES}"]'),
        )
        opened = App.open(open_site(program.folder))
        asyncio.run(opened.poll())
        yield opened
        opened.close()


@pytest.fixture
def pages(app: App) -> Pages:
    return Pages(app)
