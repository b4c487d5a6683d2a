from pathlib import Path

import pytest

from newsletter.config import load_settings
from newsletter.errors import SettingsError
from newsletter.model.settings import Settings
from tests.config.samples import CONFIG, FEED, Faults, Load, WriteSite


@pytest.fixture
def write_site(tmp_path: Path) -> WriteSite:
    """Writes config.toml and feeds; without arguments a small site without faults."""

    def write(config: str = CONFIG, **feeds: str) -> Path:
        (tmp_path / "feeds").mkdir(exist_ok=True)
        (tmp_path / "config.toml").write_text(config, encoding="utf-8")
        for name, text in (feeds or {"harbour": FEED}).items():
            (tmp_path / "feeds" / f"{name}.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def faults(write_site: WriteSite) -> Faults:
    """The faults of a site with these files."""

    def found(config: str = CONFIG, *, environment: dict[str, str] | None = None, **feeds: str) -> tuple[str, ...]:
        try:
            load_settings(write_site(config, **feeds), environment=environment or {})
        except SettingsError as error:
            return error.faults
        return ()

    return found


@pytest.fixture
def settings(write_site: WriteSite) -> Load:
    """The settings of a site with these files."""

    def loaded(config: str = CONFIG, *, environment: dict[str, str] | None = None, **feeds: str) -> Settings:
        return load_settings(write_site(config, **feeds), environment=environment or {})

    return loaded
