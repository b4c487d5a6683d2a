"""Running the command line in this process, as the console script does."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from newsletter.cli.main import main
from tests.made import put_made


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `newsletter` with these arguments."""
    monkeypatch.delenv("NEWSLETTER_SITE", raising=False)

    def ran(*arguments: str | Path) -> Ran:
        try:
            code = main([str(each) for each in arguments])
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        captured = capsys.readouterr()
        return Ran(code=code, out=captured.out, err=captured.err)

    return ran


@pytest.fixture
def site(tmp_path: Path, run: Run) -> Path:
    """The starter, written out, with an empty store."""
    folder = tmp_path / "site"
    assert run("init", folder).code == 0
    put_made(folder / "var" / "newsletter.db")
    return folder
