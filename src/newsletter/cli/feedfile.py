"""Writing feeds/NAME.toml: never over a file that is there, and never one that the site could not be opened with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from newsletter.collect.discover import Candidate


def names_taken(site: Path) -> set[str]:
    """The names of all files in feeds/, also of those that are no feeds yet."""
    return {path.stem for path in (site / "feeds").glob("*.toml")}


def same_address(url: str) -> str:
    """What two spellings of a feed's address have in common: no scheme, `www.` or final slash."""
    from newsletter.collect.urls import address_of

    found = address_of(url)
    return found.link if found else url


def write_feed(site: Path, found: Candidate, *, name: str, topics: tuple[str, ...] = ()) -> Path:
    """The new file. FeedError if there is one of this name."""
    from newsletter.collect.discover import feed_toml
    from newsletter.errors import FeedError

    path = site / "feeds" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(feed_toml(found, topics=topics))
    except FileExistsError:
        raise FeedError(name, f"{path} is there already: choose another --name") from None
    return path


def still_missing(fault: str) -> str:
    """A fault of the settings that new feeds do not mend, as their writer is told of it."""
    return f"Still missing: {fault}"


def take_back_unusable(site: Path, written: Iterable[Path]) -> tuple[dict[Path, str], tuple[str, ...]]:
    """Remove those of the files just written that break a rule of the settings; why, by file, and what else is wrong.

    What comes from strangers must not leave a site that no command can open any more.
    """
    from newsletter.config import load_settings
    from newsletter.errors import SettingsError

    try:
        load_settings(site)
    except SettingsError as exc:
        refused = {
            path: fault.split(": ", 1)[-1]
            for path in written
            for fault in reversed(exc.faults)
            if fault.startswith(f"feeds/{path.name}:")
        }
        for path in refused:
            path.unlink()
        ours = tuple(f"feeds/{path.name}:" for path in refused)
        return refused, tuple(fault for fault in exc.faults if not fault.startswith(ours))
    return {}, ()
