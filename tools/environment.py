"""Builds .venv/ from the lock files, and remembers what it built."""

import contextlib
import hashlib
import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tools.installer import Installer, Pip, choose_installer
from tools.places import LOCKS, ROOT, TOOLBOX, VENV, VENV_PYTHON

STAMP = VENV / ".built.json"
# From small to large; dev holds all that run holds.
GROUPS = ("run", "dev")
_LOCKS_OF = {"run": ("run.txt", "build.txt"), "dev": ("dev.txt",)}


def setup(group: str = "dev", *, clean: bool = False) -> None:
    """See to it that .venv/ holds the project and at least this group of packages."""
    with _one_at_a_time():
        built = _read_stamp()
        wanted = {"key": fingerprint(ROOT), "group": group}
        if not clean and is_enough(built, wanted) and VENV_PYTHON.exists():
            return
        # A demo must not take away what an earlier `setup` brought for the tests.
        group = max(group, built.get("group", group), key=GROUPS.index)
        # Scripts in an environment carry its path, so one that was moved is of no use.
        home = {"root": str(ROOT), "python": _python_version()}
        _build(group, clean=clean or not home.items() <= built.items())
        STAMP.write_text(json.dumps({**wanted, "group": group, **home}))


def is_enough(built: dict[str, str], wanted: dict[str, str]) -> bool:
    """Whether what the stamp tells of serves for what is wanted now."""
    if built.get("key") != wanted["key"]:
        return False
    return GROUPS.index(built["group"]) >= GROUPS.index(wanted["group"])


def fingerprint(root: Path) -> str:
    """Changes when the lock files, the packaging part of pyproject.toml, the place or the Python do."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    packaging = {key: project.get(key) for key in ("build-system", "project", "dependency-groups")}
    packaging["hatch"] = project.get("tool", {}).get("hatch")
    digest = hashlib.sha256(json.dumps([packaging, str(root), _python_version()]).encode())
    for lock in sorted((root / "requirements").glob("*.txt")):
        digest.update(lock.read_bytes())
    return digest.hexdigest()


def _build(group: str, *, clean: bool) -> None:
    started = time.monotonic()
    STAMP.unlink(missing_ok=True)
    installer = choose_installer()
    try:
        _fill(installer, group, clean=clean)
    except subprocess.CalledProcessError:
        # A mirror or proxy that only pip knows how to reach: slower, but it gets there.
        if isinstance(installer, Pip):
            raise
        print(f"setup: {installer.name} could not do it, going on with pip", file=sys.stderr)
        _fill(Pip(), group, clean=True)
    print(f"setup: done in {time.monotonic() - started:.1f} s", file=sys.stderr)


def _fill(installer: Installer, group: str, *, clean: bool) -> None:
    print(f"setup: .venv with the {group} packages, by {installer.name}", file=sys.stderr)
    if clean or not VENV_PYTHON.exists():
        installer.create(VENV)
    installer.install_locked(VENV, [LOCKS / name for name in _LOCKS_OF[group]])
    installer.install_local(VENV, "--editable", str(ROOT))


def _read_stamp() -> dict[str, str]:
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _python_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two shells that both start with `dev.py test` must not build one environment together."""
    try:
        import fcntl  # noqa: PLC0415  (not on Windows, where we go without)
    except ImportError:
        yield
        return
    TOOLBOX.mkdir(exist_ok=True)
    with (TOOLBOX / "setup.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
