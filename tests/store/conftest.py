"""One suite for both databases: whoever asks for `store` runs twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.store.engine import Store

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty database is, or will be."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/var/newsletter.db"
    fresh: str = request.getfixturevalue("fresh_postgres_url")
    return fresh


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    """An open, empty store."""
    with Store.open(url, site_dir=tmp_path) as opened:
        yield opened
