"""The subcommands of dev.py."""

import argparse
import subprocess
import sys
from collections.abc import Sequence

from tools import environment, locks
from tools.places import ROOT, VENV_BIN


def main(arguments: Sequence[str]) -> int:
    """Exit code of the subcommand; what follows `--` is handed through untouched."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except subprocess.CalledProcessError as error:
        print(f"dev.py: {' '.join(map(str, error.cmd))} failed ({error.returncode})", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev.py", description="Build, try, check and lock this project.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    setup = commands.add_parser("setup", help="build .venv/ with the project and all it needs")
    setup.add_argument("--clean", action="store_true", help="start from an empty .venv/")
    setup.set_defaults(run=_setup)
    demo = commands.add_parser(
        "demo", help="the whole pipeline on this machine; options as `newsletter demo`"
    )
    demo.set_defaults(run=_demo)
    lock = commands.add_parser("lock", help="write the lock files anew")
    lock.add_argument("--upgrade", action="store_true", help="take the newest versions")
    lock.set_defaults(run=lambda options: locks.lock(upgrade=options.upgrade))
    return parser


def _setup(options: argparse.Namespace) -> int:
    environment.setup(clean=options.clean)
    print("Ready. Try: .venv/bin/newsletter --help")
    return 0


def _demo(options: argparse.Namespace) -> int:
    environment.setup("run")
    return subprocess.run([VENV_BIN / "newsletter", "demo"], cwd=ROOT, check=False).returncode
