"""The door to the settings: config.toml and feeds/*.toml in, values out, or every fault at once.

`python -m newsletter.config FOLDER [to-come]` writes the settings, or all faults, as a pickle to standard output.
"""

from __future__ import annotations

import os
import pickle
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from newsletter.errors import SettingsError
from newsletter.model.feed import Feed
from newsletter.model.settings import Secret, Settings
from newsletter.settings import faults, feedfile, kinds, places, schema, values
from newsletter.settings.environment import lay_over
from newsletter.settings.surroundings import Surroundings
from newsletter.settings.syntax import not_toml, not_utf8

_Model = TypeVar("_Model", bound=BaseModel)


def load_settings(
    folder: Path, *, environment: Mapping[str, str] | None = None, feeds_to_come: bool = False
) -> Settings:
    """The settings of the site in this folder. SettingsError has a line for every fault of every file.

    A file that is not there or cannot be read is a fault like others. While there are `feeds_to_come` it is none if a
    digest names no feed yet, or one that is not there yet.
    """
    environment = os.environ if environment is None else environment
    folder = folder.absolute()
    feed_files = {path.stem: _read(path, folder) for path in _feed_paths(folder)}
    config_file = _read(folder / "config.toml", folder)
    config_file.origins.update(lay_over(config_file.raw, environment))
    known = None if feeds_to_come else frozenset(feed_files)
    around = Surroundings(folder, known, frozenset(_names(config_file.raw.get("lists"))))

    config = _checked(config_file, schema.ConfigFile, around)
    feeds = {name: _feed(name, file, around) for name, file in feed_files.items()}
    _check_feeds_together(feed_files, feeds)
    if told := [line for file in (config_file, *feed_files.values()) for line in file.told()]:
        raise SettingsError(tuple(told))
    assert config is not None
    found = {name: feed for name, feed in feeds.items() if feed is not None}
    settings = values.settings_from(config, found, default_store=Secret(f"sqlite:///{folder / 'var/newsletter.db'}"))
    key = environment.get("NEWSLETTER_SITE_KEY")
    return replace(settings, site_key=Secret(key)) if key else settings


@dataclass(slots=True, kw_only=True)
class _File:
    """One settings file while it is being checked."""

    name: str
    text: str = ""
    raw: dict[str, Any] = field(default_factory=dict)
    origins: dict[places.Path, str] = field(default_factory=dict)
    faults: list[faults.Fault] = field(default_factory=list)
    unreadable: str | None = None
    """The one line to tell of a file that is not TOML; there is no use in more."""

    def told(self) -> Iterator[str]:
        if self.unreadable is not None:
            yield self.unreadable
        elif self.faults:
            found = places.find_places(self.text)
            yield from faults.told(self.faults, file=self.name, places=found, environment=self.origins)


def _feed_paths(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "feeds").glob("*.toml") if not path.name.startswith("."))


def _read(path: Path, folder: Path) -> _File:
    file = _File(name=path.relative_to(folder).as_posix())
    try:
        file.text = path.read_bytes().decode("utf-8").removeprefix("\ufeff")
        file.raw = tomllib.loads(file.text)
    except OSError as error:
        file.unreadable = f"{file.name}:1:1: file: expected one that can be read (got {error.strerror})"
    except UnicodeDecodeError as error:
        file.unreadable = not_utf8(error, file=file.name)
    except tomllib.TOMLDecodeError as error:
        file.unreadable = not_toml(error, file=file.name, text=file.text)
    return file


def _checked(file: _File, model: type[_Model], around: Surroundings) -> _Model | None:
    if file.unreadable is not None:
        return None
    try:
        return model.model_validate(file.raw, context=around)
    except ValidationError as error:
        file.faults += faults.faults_of(error, model)
        return None


def _feed(name: str, file: _File, around: Surroundings) -> Feed | None:
    """One feed. Of its file only the text is kept, for faults that show beside other files: there may be thousands."""
    table = _checked(file, feedfile.FeedFile, around)
    file.raw = {}
    return None if table is None else values.feed_from(name, table)


def _names(table: object) -> list[str]:
    return list(table) if isinstance(table, dict) else []


def _check_feeds_together(files: Mapping[str, _File], feeds: Mapping[str, Feed | None]) -> None:
    """What no file can know by itself: its own name, and that another has the same address."""
    seen: dict[str, str] = {}
    for name, feed in feeds.items():
        if rule := kinds.name_fault(name):
            files[name].faults.append(faults.Fault(path=(), rule=rule, got=faults.shown(name)))
        if feed is None:
            continue
        if (first := seen.setdefault(feed.url, name)) != name:
            rule = f"expected an address that no other feed has, this is that of feeds/{first}.toml"
            files[name].faults.append(faults.Fault(path=("url",), rule=rule, got=faults.shown(feed.url)))


def main(folder: Path, *, feeds_to_come: bool) -> None:
    """Tell what is in the folder to the process that started this one."""
    try:
        found: Settings | tuple[str, ...] = load_settings(folder, feeds_to_come=feeds_to_come)
    except SettingsError as error:
        found = error.faults
    pickle.dump(found, sys.stdout.buffer)


if __name__ == "__main__":
    main(Path(sys.argv[1]), feeds_to_come="to-come" in sys.argv[2:])
