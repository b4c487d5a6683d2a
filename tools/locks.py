"""Writes the lock files: hashed, for every platform, and without a word about where packages come from."""

import subprocess
import sys
from collections.abc import Sequence

from tools.installer import Uv, choose_installer
from tools.places import LOCKS, ROOT

_HEADER = "# Made by `python3 dev.py lock`; do not edit.\n"
_COMMON = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-header",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-annotate",
    "--quiet",
)


def lock(*, upgrade: bool = False) -> int:
    """Bring requirements/*.txt in line with pyproject.toml; with `upgrade`, to the newest versions."""
    uv = choose_installer()
    if not isinstance(uv, Uv):
        sys.exit("lock: needs uv; put it on PATH, or let pip fetch it")
    more = ["--upgrade"] if upgrade else []
    # The larger set first: the smaller ones follow its choices, so that all environments agree.
    _compile(uv, "dev", ["pyproject.toml", "--group=dev", "--extra=postgres", *more])
    follow = [f"--constraint={LOCKS / 'dev.txt'}"]
    _compile(uv, "run", ["pyproject.toml", *follow])
    _compile(uv, "build", ["--group=pyproject.toml:build", *follow])
    for tool in ("uv", "virtualenv"):
        _compile(uv, tool, ["-", *more], wanted=tool)
    return 0


def _compile(uv: Uv, name: str, what: Sequence[str], *, wanted: str | None = None) -> None:
    file = LOCKS / f"{name}.txt"
    command = [uv.program, "pip", "compile", *_COMMON, f"--output-file={file}", *what]
    subprocess.run(
        command,
        cwd=ROOT,
        env=dict(uv.environment),
        input=wanted,
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    body = file.read_text().removeprefix(_HEADER)
    file.write_text(_HEADER + body)
    print(f"lock: {file.relative_to(ROOT)}, {body.count('==')} packages")
