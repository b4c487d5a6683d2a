"""One suite for both databases: whoever asks for `store` runs twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.store.engine import Store
from tests.made import put_made

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a database with empty tables is."""
    if request.param == "sqlite":
        return put_made(tmp_path / "var" / "newsletter.db")
    fresh: str = request.getfixturevalue("fresh_postgres_url")
    return fresh


@pytest.fixture(params=DATABASES)
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a database will be."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/var/newsletter.db"
    bare: str = request.getfixturevalue("bare_postgres_url")
    return bare


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    """An open, empty store."""
    with Store.open(url, site_dir=tmp_path) as opened:
        yield opened
