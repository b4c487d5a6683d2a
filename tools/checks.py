"""`dev.py test`: all that is checked before a change goes in. What runs here is what CI runs."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.installer import choose_installer
from tools.machine import equip
from tools.places import LOCKS, ROOT, VENV_BIN, VENV_PYTHON

# The machines that check changes have two cores; the third worker uses them while others wait for a process or a clock.
_WORKERS = "3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    name: str
    passed: bool
    seconds: float


def run(*, only: Sequence[str] | None = None, pytest_arguments: Sequence[str] = ()) -> int:
    """Take every step, also after one has failed; 1 if any has, with all of them listed at the end."""
    if pytest_arguments:
        # A part of the tests says nothing about coverage, nor about the rest.
        return _call(VENV_BIN / "pytest", *pytest_arguments)
    if os.environ.get("CI") == "true":
        equip()
    outcomes = [_take(name) for name in NAMES if not only or name in only]
    print("\n" + summary(outcomes), flush=True)
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def summary(outcomes: Sequence[Outcome]) -> str:
    """One line a step, and a last one that says it all."""
    lines = [f"{'ok    ' if it.passed else 'FAILED'}  {it.name:<8} {it.seconds:7.1f} s" for it in outcomes]
    failed = [it.name for it in outcomes if not it.passed]
    total = sum(it.seconds for it in outcomes)
    verdict = f"failed: {', '.join(failed)}" if failed else "all steps passed"
    return "\n".join([*lines, f"{verdict} ({total:.1f} s)"])


def _take(name: str) -> Outcome:
    print(f"\n── {name} " + "─" * (70 - len(name)), flush=True)
    started = time.monotonic()
    try:
        code = _STEPS[name]()
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(map(str, error.cmd))} failed ({error.returncode})", flush=True)
        code = 1
    return Outcome(name=name, passed=code == 0, seconds=time.monotonic() - started)


def _format() -> int:
    return _call(VENV_BIN / "ruff", "format", "--check", ".")


def _lint() -> int:
    return _call(VENV_BIN / "ruff", "check", ".")


def _types() -> int:
    return _call(VENV_BIN / "mypy")


def _imports() -> int:
    return _call(VENV_BIN / "lint-imports", "--no-logo")


def _wheel() -> int:
    """Build the wheel, install it where nothing else is, and start a site from it."""
    installer = choose_installer()
    with tempfile.TemporaryDirectory(prefix="newsletter-wheel-") as folder:
        home = Path(folder)
        _must(VENV_PYTHON, "-m", "hatchling", "build", "--target", "wheel", "--directory", home)
        (wheel,) = home.glob("*.whl")
        installer.create(home / "venv")
        installer.install_locked(home / "venv", [LOCKS / "run.txt"])
        installer.install_local(home / "venv", str(wheel))
        newsletter = home / "venv" / "bin" / "newsletter"
        # From the outside: in the root of the repository, the root itself would be the site.
        _must(newsletter, "init", home / "site", cwd=home)
        _must(newsletter, "check", "--site", home / "site", cwd=home)
    return 0


def _tests() -> int:
    # A worker keeps to one file after another, so that a browser or a database server is started seldom.
    spread = ("--numprocesses", _WORKERS, "--dist", "worksteal")
    return _call(VENV_BIN / "pytest", *spread, "--cov", "--cov-report=term", "--durations=10")


_STEPS: dict[str, Callable[[], int]] = {
    "format": _format,
    "ruff": _lint,
    "mypy": _types,
    "imports": _imports,
    "wheel": _wheel,
    "pytest": _tests,
}
NAMES = tuple(_STEPS)


def _call(*command: str | Path) -> int:
    return subprocess.run(command, cwd=ROOT, check=False, stdin=subprocess.DEVNULL).returncode


def _must(*command: str | Path, cwd: Path = ROOT) -> None:
    subprocess.run(command, cwd=cwd, check=True, stdin=subprocess.DEVNULL)
