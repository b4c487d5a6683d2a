"""Two ways to fill a virtual environment: uv, which takes seconds, and pip, which is always there."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tools.pipconfig import uv_environment
from tools.places import LOCKS, ROOT, TOOLBOX, outer_python


class Installer(Protocol):
    """What setup and the wheel test need of either."""

    @property
    def name(self) -> str: ...

    def create(self, venv: Path) -> None:
        """An empty environment; what was there before is gone."""

    def install_locked(self, venv: Path, locks: Sequence[Path]) -> None:
        """Exactly what the lock files name, each file's hash checked."""

    def install_local(self, venv: Path, *target: str) -> None:
        """A wheel or an editable checkout, with its dependencies taken as given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uv:
    program: str
    environment: Mapping[str, str]
    name: str = "uv"

    def create(self, venv: Path) -> None:
        self._run("venv", "--clear", "--python", outer_python(), str(venv))

    def install_locked(self, venv: Path, locks: Sequence[Path]) -> None:
        self._run("pip", "sync", "--python", str(venv), "--require-hashes", *map(str, locks))

    def install_local(self, venv: Path, *target: str) -> None:
        self._run("pip", "install", "--python", str(venv), "--no-deps", "--no-build-isolation", *target)

    def _run(self, *arguments: str) -> None:
        # Ninety lines of package names help nobody in a log; on a terminal uv's progress bar does.
        volume = [] if sys.stderr.isatty() else ["--quiet"]
        run([self.program, *volume, *arguments], environment=self.environment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pip:
    name: str = "pip"

    def create(self, venv: Path) -> None:
        if _has_venv_module():
            run([outer_python(), "-m", "venv", "--clear", str(venv)])
            return
        # Debian keeps venv in a package of its own; virtualenv brings its own pip along.
        home = fetch_tool("virtualenv")
        run(
            [outer_python(), "-m", "virtualenv", "--quiet", "--clear", str(venv)],
            environment={**os.environ, "PYTHONPATH": str(home)},
        )

    def install_locked(self, venv: Path, locks: Sequence[Path]) -> None:
        files = [argument for lock in locks for argument in ("-r", str(lock))]
        self._run(venv, "--require-hashes", *files)

    def install_local(self, venv: Path, *target: str) -> None:
        self._run(venv, "--no-deps", "--no-build-isolation", *target)

    def _run(self, venv: Path, *arguments: str) -> None:
        program = [str(venv / "bin" / "python"), "-m", "pip"]
        run([*program, "install", "--quiet", "--disable-pip-version-check", *arguments])


def choose_installer() -> Installer:
    """uv where it is or can be had; else pip. NEWSLETTER_DEV_INSTALLER=pip asks for pip."""
    if os.environ.get("NEWSLETTER_DEV_INSTALLER") == "pip":
        return Pip()
    program = shutil.which("uv") or _uv_of_our_own()
    return Uv(program=program, environment=uv_environment()) if program else Pip()


def fetch_tool(name: str) -> Path:
    """The folder under .dev/ with the pinned tool in it, fetched by pip when it is not there.

    `pip install --target` touches no environment, so Debian's "externally managed" does not refuse it.
    """
    lock = LOCKS / f"{name}.txt"
    home = TOOLBOX / name
    marker = home / ".lock"
    if marker.is_file() and marker.read_bytes() == lock.read_bytes():
        return home
    shutil.rmtree(home, ignore_errors=True)
    options = ["--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes"]
    run(
        [outer_python(), "-m", "pip", "install", *options, "--target", str(home), "-r", str(lock)],
        environment={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"},
    )
    marker.write_bytes(lock.read_bytes())
    return home


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> None:
    """Run in the root of the repository; CalledProcessError when it fails."""
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def _uv_of_our_own() -> str | None:
    try:
        return str(fetch_tool("uv") / "bin" / "uv")
    except subprocess.CalledProcessError:
        print("setup: no uv to be had here, going on with pip", file=sys.stderr)
        return None


def _has_venv_module() -> bool:
    command = [outer_python(), "-c", "import venv, ensurepip"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
