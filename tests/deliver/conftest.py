"""Stores for sending from: SQLite, and for what rests on the database both kinds."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from newsletter.mailbox.server import EXTENSIONS, MailboxServer
from newsletter.store.engine import Store
from newsletter.store.ledger import Ledger
from tests.deliver.killing import Site, made
from tests.deliver.press import Press, relay_to
from tests.made import put_made
from tests.store.samples import open_ledger


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The event loop that the program runs on."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An empty SQLite database."""
    return put_made(tmp_path / "newsletter.db")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def each_url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind."""
    chosen: str = request.getfixturevalue("url" if request.param == "sqlite" else "fresh_postgres_url")
    return chosen


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    with Store.open(url, site_dir=tmp_path) as opened:
        yield opened


@pytest.fixture
def ledger(store: Store) -> Iterator[Ledger]:
    with open_ledger(store) as opened:
        yield opened


@pytest.fixture
def extensions() -> frozenset[str]:
    """What the relay offers."""
    return EXTENSIONS


@pytest.fixture
async def server(extensions: frozenset[str]) -> AsyncIterator[MailboxServer]:
    async with MailboxServer(extensions=extensions) as running:
        yield running


@pytest.fixture
def press(tmp_path: Path, store: Store, ledger: Ledger, server: MailboxServer) -> Press:
    return Press(store=store, ledger=ledger, relays=(relay_to(server),), journals=tmp_path / "journals")


@pytest.fixture
def site(url: str, tmp_path: Path) -> Iterator[Site]:
    with made(url, tmp_path / "journals") as site:
        yield site


@pytest.fixture
def each_site(each_url: str, tmp_path: Path) -> Iterator[Site]:
    with made(each_url, tmp_path / "journals") as site:
        yield site
