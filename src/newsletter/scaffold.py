"""The starter: a working site that `newsletter init` copies, and whose templates stand in for those a site lacks."""

from __future__ import annotations

import shutil
from pathlib import Path
from textwrap import shorten

from newsletter.errors import SiteError

_PACKAGE = Path(__file__).resolve().parent
_IGNORED_BY_GIT = """\
# State, with readers' addresses in it, and secrets.
/var/
/keys/
"""


def starter_folder() -> Path:
    """Where the starter is: inside an installed package, or the root of the checkout we run from."""
    packaged = _PACKAGE / "starter"
    return packaged if packaged.is_dir() else _PACKAGE.parent.parent


def write_starter(folder: Path) -> tuple[Path, ...]:
    """Copy the starter into an empty folder (made if need be); returns what was written, relative to it.

    SiteError if anything is there already; a repository that was just made does not count.
    """
    there = sorted(path.name for path in folder.iterdir() if path.name != ".git") if folder.is_dir() else []
    if there:
        raise SiteError(str(folder), because=f"not empty, there is {shorten(', '.join(there), 80, placeholder=' …')}")
    try:
        return (*(_copy(source, folder, relative) for source, relative in _parts()), _ignore_file(folder))
    except OSError as error:
        raise SiteError(str(folder), because=f"cannot be written: {error.strerror}") from error


def _parts() -> list[tuple[Path, Path]]:
    """Each file of the starter with its place in a site; a checkout has much else beside them."""
    starter = starter_folder()
    files = [starter / "config.toml", *starter.glob("feeds/*.toml"), *starter.glob("templates/email/**/*")]
    return [(path, path.relative_to(starter)) for path in sorted(files) if path.is_file()]


def _copy(source: Path, folder: Path, relative: Path) -> Path:
    target = folder / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return relative


def _ignore_file(folder: Path) -> Path:
    (folder / ".gitignore").write_text(_IGNORED_BY_GIT, encoding="utf-8")
    return Path(".gitignore")
