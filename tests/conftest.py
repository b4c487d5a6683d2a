"""What tests in all folders may ask for."""

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

from tests.postgres import PostgresServer, running_server

# How long an example takes says nothing on a machine that others use as well.
settings.register_profile("newsletter", deadline=None)
settings.load_profile("newsletter")


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """A command configures the logs of its process, which a test shares with all others."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL, started when a test first asks for it."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """The server's maintenance database: for tests that make databases themselves."""
    return postgres_server.url


@pytest.fixture
def fresh_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database with empty tables for this test alone."""
    with postgres_server.fresh_database() as url:
        yield url


@pytest.fixture
def bare_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database without tables for this test alone."""
    with postgres_server.bare_database() as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The path of the browser. A machine without one skips the test; CI has no excuse."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        complain = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        complain("no chromium here: apt-get install chromium")
    return Path(found)


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """A browser for the tests of one file: its loop has the thread, so that no coroutine can run while it is there."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """What runs asynchronous tests, marked `pytest.mark.anyio`: asyncio alone, as in the program."""
    return "asyncio"
