"""What the documentation says is tried."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.cli.main import COMMANDS
from newsletter.model.segment import parsed

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
NAMES = {name for section in COMMANDS.values() for name in section}


def blocks(page: Path, language: str) -> list[tuple[str, str]]:
    """(what stands before, text) of the page's code blocks."""
    text = page.read_text(encoding="utf-8")
    return [
        (text[: found.start()], found[1])
        for found in re.finditer(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text)
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_are_named_exist(page: Path) -> None:
    lines = [line for _, text in blocks(page, "sh") for line in text.splitlines() if line.startswith("newsletter ")]
    named = [next(word for word in shlex.split(line, comments=True)[1:] if not word.startswith("-")) for line in lines]
    assert set(named) <= NAMES


def test_segments_that_are_shown_are_understood() -> None:
    page = (ROOT / "docs" / "segments.md").read_text(encoding="utf-8")
    lines = re.findall(r"(?:--segment|^segment =) '(.+?)'", page, re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        parsed(line)


def test_the_blocks_marked_as_tested_work_as_they_stand(tmp_path: Path) -> None:
    marked = [text for before, text in blocks(ROOT / "README.md", "sh") if before.endswith("<!-- tested -->\n")]
    assert marked
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    for text in marked:
        done = subprocess.run(
            ["bash", "-euc", text],
            cwd=tmp_path,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_unit_and_cron_line_call_commands_that_exist() -> None:
    for path in (ROOT / "deploy").iterdir():
        found = re.findall(r"bin/newsletter (\w[\w-]*)", path.read_text(encoding="utf-8"))
        assert set(found) <= NAMES
