from pathlib import Path

import pytest

from newsletter.render.environment import Templates
from tests.render.messages import SiteTemplates

STARTER = Path(__file__).parents[2] / "templates" / "email"


@pytest.fixture(scope="session")
def templates() -> Templates:
    """The starter's own templates."""
    return Templates([STARTER])


@pytest.fixture
def with_files(tmp_path: Path) -> SiteTemplates:
    """Templates of a site that has these files of its own and the starter behind it."""

    def make(files: dict[str, str]) -> Templates:
        for name, source in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, encoding="utf-8")
        return Templates([tmp_path, STARTER])

    return make
