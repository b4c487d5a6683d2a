"""What has to be true of the files themselves."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import newsletter
from tools.places import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
# Written in pieces, so that this file does not hold what it looks for.
HOSTS = ["pypi" + ".org", "pythonhosted" + ".org", "deb.debian" + ".org", "npmjs" + ".org", "crates" + ".io"]
# A path of somebody's machine: at the start of a word, so that an address with such a folder is none.
MACHINE_PATH = re.compile(
    r"(?<![\w.\-/}])/(?:" + "|".join(["root", "home/" + r"\w", "work/" + "(?:main|shared)"]) + r")\b"
)


def requirements_of(lock: Path) -> dict[str, str]:
    """Version by name."""
    return dict(re.findall(r"^([a-z0-9.\-\[\]]+)==(\S+)", lock.read_text(), flags=re.MULTILINE))


def tracked_texts() -> Iterator[tuple[Path, str]]:
    """All files that git knows or would take; without git there is nobody to protect."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    for path in (ROOT / name for name in names):
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            yield path.relative_to(ROOT), content.decode("utf-8", "replace")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_locked_package_is_pinned_and_hashed(lock: Path) -> None:
    entries = re.split(r"\n(?=[a-z])", lock.read_text().partition("\n")[2])
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9.\-\[\]]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_lock_files_do_not_say_where_packages_come_from(lock: Path) -> None:
    assert "://" not in lock.read_text()
    assert "index" not in lock.read_text()


def test_what_runs_is_what_was_tested() -> None:
    tested = requirements_of(ROOT / "requirements" / "dev.txt")
    running = requirements_of(ROOT / "requirements" / "run.txt")
    assert running.items() <= tested.items()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.match(r"[\w.\-]+", line)[0] for line in project["dependencies"]}  # type: ignore[index]
    assert wanted <= requirements_of(ROOT / "requirements" / "run.txt").keys()


def test_no_file_names_a_package_registry() -> None:
    found = {(str(path), host) for path, text in tracked_texts() for host in HOSTS if host in text}
    assert found == set()


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    found = {(str(path), hit[0]) for path, text in tracked_texts() for hit in MACHINE_PATH.finditer(text)}
    assert found == set()


def test_the_licence_is_mit_and_the_authors() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert text.startswith("MIT License")
    assert "The Newsletter authors" in text
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"] == "MIT"


def test_the_changelog_has_a_place_for_the_next_release_and_this_version_is_well_formed() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text()
    assert re.fullmatch(r"\d+\.\d+\.\d+", newsletter.__version__)


def test_ci_runs_what_a_person_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text().splitlines()[-1] == "exec python3 dev.py test"


def test_every_lint_exception_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    section = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.isort]")]
    without = [line for line in section.splitlines() if re.match(r'    "[A-Z]+\d*",\s*$', line)]
    assert without == []
