"""A site: the folder that editors own, with its settings, its state in var/ and its templates."""

from __future__ import annotations

import os
import pickle
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile

from newsletter.errors import LockedError, ProcessError, SettingsError, SiteError
from newsletter.model.settings import Settings
from newsletter.scaffold import starter_folder

_SHORTEST_KEY = 16
# With so many feeds, checking their files takes more memory than what is known of them.
MANY_FEEDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An opened site folder. `folder` is absolute."""

    folder: Path
    settings: Settings

    def var(self) -> Path:
        """Where the site keeps its state. Made when first needed, for its owner alone: readers' addresses are in it."""
        path = self.folder / "var"
        try:
            path.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise SiteError(str(path), because=f"cannot be made: {error.strerror}") from error
        return path

    @property
    def template_folders(self) -> tuple[Path, ...]:
        """Where templates are looked for, in this order: a site's own, then the starter's for those it lacks."""
        return template_folders(self.folder)

    def keys(self) -> tuple[bytes, ...]:
        """What tokens are sealed with, newest first; the site makes its own key when it is first asked."""
        if self.settings.site_key is not None:
            return _keys_in(self.settings.site_key.reveal(), place="the site key in the settings")
        path = self.var() / "site.key"
        if not path.exists():
            _make_key(path)
        return _keys_in(path.read_text("utf-8"), place=str(path))

    def add_key(self) -> int:
        """Put a new key before the others, with which tokens are sealed from now on; returns how many there are.

        The others stay for ever: old links, suppressions and Message-IDs hang on them. SiteError if keys are kept by
        the settings.
        """
        if self.settings.site_key is not None:
            because = "publication.key_file names the keys: put a new one on top of that file, and restart what runs"
            raise SiteError("the site key", because=because)
        with self.locked("keys rotate", name="keys"):
            keys = (secrets.token_hex().encode(), *self.keys())
            _replace(self.var() / "site.key", b"".join(key + b"\n" for key in keys))
        return len(keys)

    @contextmanager
    def locked(self, command: str, *, name: str = "newsletter") -> Iterator[None]:
        """Hold a lock of the site, or LockedError that says who has it. The kernel lets go when a process dies."""
        path = self.var() / f"{name}.lock"
        with path.open("a+", encoding="utf-8") as lock:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise LockedError(str(path), holder=lock.read().strip() or "unknown") from None
            lock.truncate(0)
            lock.write(f"pid {os.getpid()}: {command}\n")
            lock.flush()
            try:
                yield
            finally:
                lock.truncate(0)


def site_folder(given: Path | None = None, *, environment: Mapping[str, str] | None = None) -> Path:
    """The folder that is meant: `--site`, else NEWSLETTER_SITE, else the current one. SiteError if it is no site."""
    environment = os.environ if environment is None else environment
    folder = (given or Path(environment.get("NEWSLETTER_SITE") or ".")).absolute()
    if not (folder / "config.toml").is_file():
        raise SiteError(str(folder), because="no config.toml here; `newsletter init DIR` makes a site")
    return folder


def open_site(
    given: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    many: int = MANY_FEEDS,
    feeds_to_come: bool = False,
) -> Site:
    """The site that is meant, as `site_folder` says, with its settings checked (SettingsError; see `load_settings`).

    From so `many` feeds on another process reads them.
    """
    folder = site_folder(given, environment=environment)
    read = _read_apart if _has_feeds(folder, many) else _read_here
    return Site(folder=folder, settings=read(folder, environment, feeds_to_come=feeds_to_come))


def _has_feeds(folder: Path, many: int) -> bool:
    """Whether there are so many; no more of their files are looked for."""
    with suppress(OSError), os.scandir(folder / "feeds") as found:
        return sum(1 for _ in islice((file for file in found if file.name.endswith(".toml")), many)) == many
    return False


def _read_here(folder: Path, environment: Mapping[str, str] | None, *, feeds_to_come: bool) -> Settings:
    from newsletter.config import load_settings

    return load_settings(folder, environment=environment, feeds_to_come=feeds_to_come)


def _read_apart(folder: Path, environment: Mapping[str, str] | None, *, feeds_to_come: bool) -> Settings:
    """The settings, read by a process that ends: this one would keep the memory that checking takes for good."""
    command = [sys.executable, "-P", "-m", "newsletter.config", str(folder), *(["to-come"] if feeds_to_come else [])]
    reader = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=False)  # noqa: S603 ourselves
    if reader.returncode:
        raise ProcessError("reads the settings", code=reader.returncode)
    told: Settings | tuple[str, ...] = pickle.loads(reader.stdout)  # noqa: S301 it comes from our own process
    if isinstance(told, tuple):
        raise SettingsError(told)
    return told


def template_folders(folder: Path) -> tuple[Path, ...]:
    """Where the templates of a site are looked for."""
    return tuple(dict.fromkeys(each / "templates" / "email" for each in (folder, starter_folder())))


def _make_key(path: Path) -> None:
    """A new key at `path`, unless another process was faster: whole or not there at all, and readable by us alone."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=".site.key.") as draft:
        draft.write(f"{secrets.token_hex()}\n")
        draft.flush()
        os.fsync(draft.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(draft.name)


def _replace(path: Path, content: bytes) -> None:
    """The file at `path`, whole at every moment, also when the power fails: without its keys a site has no readers."""
    with NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
        draft.write(content)
        draft.flush()
        os.fsync(draft.fileno())
    Path(draft.name).replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _keys_in(text: str, *, place: str) -> tuple[bytes, ...]:
    keys = tuple(word.encode() for word in text.split())
    if not keys or min(map(len, keys)) < _SHORTEST_KEY:
        raise SiteError(place, because=f"expected a key a line, each of at least {_SHORTEST_KEY} characters")
    return keys
