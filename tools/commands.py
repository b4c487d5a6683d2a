"""The subcommands of dev.py."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from tools import checks, environment, locks
from tools.places import ROOT, VENV_BIN, VENV_PYTHON


def main(arguments: Sequence[str]) -> int:
    """Exit code of the subcommand; what follows `--` is handed through untouched."""
    ours, rest = split_at_dashes(arguments)
    parser = _parser()
    options, unknown = parser.parse_known_args(ours)
    options.rest = [*unknown, *rest]
    if unknown and not options.takes_rest:
        parser.error(f"unknown arguments: {' '.join(unknown)}")
    try:
        return int(options.run(options))
    except subprocess.CalledProcessError as error:
        print(f"dev.py: {' '.join(map(str, error.cmd))} failed ({error.returncode})", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def split_at_dashes(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before and after the first `--`."""
    if "--" not in arguments:
        return list(arguments), []
    at = list(arguments).index("--")
    return list(arguments[:at]), list(arguments[at + 1 :])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev.py", description="Build, try, check and lock this project.")
    parser.set_defaults(takes_rest=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    setup = commands.add_parser("setup", help="build .venv/ with the project and all it needs")
    setup.add_argument("--clean", action="store_true", help="start from an empty .venv/")
    setup.set_defaults(run=_setup)
    demo = commands.add_parser("demo", help="the whole pipeline on this machine", add_help=False)
    demo.set_defaults(run=_demo, takes_rest=True)
    test = commands.add_parser("test", help="all checks; after `--`, only pytest with those arguments")
    test.add_argument("--only", action="append", choices=checks.NAMES, help="this step; may be repeated")
    test.set_defaults(run=_test)
    lint = commands.add_parser("lint", help="format, and mend what can be mended")
    lint.set_defaults(run=_lint)
    bench = commands.add_parser("bench", help="run the benchmarks")
    bench.add_argument("names", nargs="*", metavar="NAME", help="bench/NAME.py; all when none is given")
    bench.set_defaults(run=_bench, takes_rest=True)
    lock = commands.add_parser("lock", help="write the lock files anew")
    lock.add_argument("--upgrade", action="store_true", help="take the newest versions")
    lock.set_defaults(run=_lock)
    translate = commands.add_parser("translate", help="bring the catalogues of translations up to date")
    translate.set_defaults(run=_translate)
    return parser


def _setup(options: argparse.Namespace) -> int:
    environment.setup(clean=options.clean)
    print("Ready. Try: .venv/bin/newsletter --help")
    return 0


def _demo(options: argparse.Namespace) -> int:
    environment.setup("run")
    os.chdir(ROOT)
    program = str(VENV_BIN / "newsletter")
    # Replaced, not called: Ctrl-C and signals then reach the demo and nobody else.
    os.execv(program, [program, "demo", *options.rest])  # noqa: S606


def _test(options: argparse.Namespace) -> int:
    environment.setup()
    return checks.run(only=options.only, pytest_arguments=options.rest)


def _lint(_: argparse.Namespace) -> int:
    environment.setup()
    return max(_in_venv("ruff", "check", "--fix", "."), _in_venv("ruff", "format", "."))


def _bench(options: argparse.Namespace) -> int:
    environment.setup()
    names = options.names or sorted(path.stem for path in (ROOT / "bench").glob("[a-z]*.py"))
    codes = []
    for name in names:
        print(f"\n── {name} " + "─" * (70 - len(name)), flush=True)
        command = [VENV_PYTHON, ROOT / "bench" / f"{name}.py", *options.rest]
        # Some measure with what tests share.
        around = os.environ | {"PYTHONPATH": str(ROOT)}
        codes.append(subprocess.run(command, cwd=ROOT, env=around, check=False).returncode)
    return max(codes, default=0)


def _lock(options: argparse.Namespace) -> int:
    return locks.lock(upgrade=options.upgrade)


def _translate(_: argparse.Namespace) -> int:
    environment.setup()
    # In the virtual environment, which has the library that dev.py itself does without.
    return subprocess.run([VENV_PYTHON, "-m", "tools.translations"], cwd=ROOT, check=False).returncode


def _in_venv(program: str, *arguments: str) -> int:
    return subprocess.run([VENV_BIN / program, *arguments], cwd=ROOT, check=False).returncode
