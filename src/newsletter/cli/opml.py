"""`newsletter feeds import` and `feeds export`: OPML, which other feed readers write and read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.feedfile import still_missing
from newsletter.cli.output import JsonOption, SiteOption, answer, opened, partly
from newsletter.model.text import counted

if TYPE_CHECKING:
    from newsletter.collect.opml import Outline


@dataclass(slots=True)
class _Report:
    """What became of each feed that a file names."""

    written: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """What the settings lack still."""


def import_(
    file: Annotated[Path, typer.Argument(metavar="OPML", help="A file that another reader exported.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be written.")] = False,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write feeds/NAME.toml for each feed in an OPML file; its folders become topics.

    No feed is asked for now: the next poll does that. Rights are careful ones, to be filled in.

    Example: newsletter feeds import subscriptions.opml
    """
    from newsletter.cli.feedfile import same_address
    from newsletter.collect.opml import read_opml

    with opened(site, feeds_to_come=True) as app:
        found = read_opml(_content(file), file=str(file))
        known = {same_address(feed.url): f"feeds/{feed.id}.toml" for feed in app.settings.feeds}
        report = _import(found.found, known, folder=app.site.folder, dry_run=dry_run)
    document = {
        "file": str(file),
        "dry_run": dry_run,
        "written": report.written,
        "skipped": report.skipped,
        "refused": report.refused,
        "because": found.broken,
        "missing": report.missing,
    }
    answer(document, as_json=as_json, lines=_lines(report, found.broken, dry_run=dry_run))
    if report.refused or found.broken:
        partly()


def _content(file: Path) -> bytes:
    from newsletter.errors import ImportFileError

    try:
        return file.read_bytes()
    except OSError as exc:
        raise ImportFileError(str(file), f"it cannot be read: {exc.strerror}") from exc


def _import(outlines: tuple[Outline, ...], known: dict[str, str], *, folder: Path, dry_run: bool) -> _Report:
    """Write a file for each feed that is new. What an address is known by grows on the way."""
    from newsletter.cli.feedfile import names_taken, same_address, take_back_unusable, write_feed
    from newsletter.collect.discover import Candidate, feed_id

    report, taken = _Report(), names_taken(folder)
    written: dict[Path, dict[str, Any]] = {}
    for one in outlines:
        told: dict[str, Any] = {"title": one.title, "url": one.url}
        if one.because:
            report.refused.append(told | {"because": one.because})
            continue
        if (where := known.get(same_address(one.url))) is not None:
            report.skipped.append(told | {"because": f"{where} has this address already"})
            continue
        name = feed_id(one.url, taken)
        taken.add(name)
        path = folder / "feeds" / f"{name}.toml"
        known[same_address(one.url)] = f"feeds/{path.name}"
        if not dry_run:
            found = Candidate(url=one.url, title=one.title, language=one.language, entries=(), homepage=one.homepage)
            write_feed(folder, found, name=name, topics=one.topics)
        written[path] = {"feed": name, "file": str(path), "topics": list(one.topics)} | told
    refused: dict[Path, str] = {}
    if written and not dry_run:
        refused, missing = take_back_unusable(folder, written)
        report.missing += missing
    report.written += [told for path, told in written.items() if path not in refused]
    report.refused += [
        {"title": written[path]["title"], "url": written[path]["url"], "because": because}
        for path, because in refused.items()
    ]
    return report


def _lines(report: _Report, broken: str | None, *, dry_run: bool) -> list[str]:
    would = "would be written" if dry_run else "written"
    lines = [f"{told['file']}: {would} ({told['title'] or told['url']})" for told in report.written]
    for what, those in (("skipped", report.skipped), ("refused", report.refused)):
        lines += [f"{what}: {told['title'] or '(no title)'} {told['url']}: {told['because']}" for told in those]
    lines.append(f"{len(report.written)} {would}, {len(report.skipped)} skipped, {len(report.refused)} refused")
    if broken:
        lines.append(f"careful: {broken}")
    if report.written and not dry_run:
        lines.append("Say in each file under [rights] what the partner allows, and name the feeds in a digest.")
    return [*lines, *map(still_missing, report.missing)]


def export(
    *,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to this file.")] = None,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write all feeds as OPML 2.0, for other readers; a folder for each first topic.

    Example: newsletter feeds export --out feeds.opml
    """
    from newsletter.collect.opml import write_opml

    with opened(site) as app:
        feeds, title = app.settings.feeds, app.settings.publication.name
        content = write_opml(feeds, title=title, now=app.clock.now())
    if out is not None:
        out.write_bytes(content)
    text = content.decode("utf-8")
    document = {"feeds": len(feeds), "file": str(out) if out else None, "opml": None if out else text}
    lines = [f"{out}: {counted(len(feeds), 'feed')}"] if out else text.splitlines()
    answer(document, as_json=as_json, lines=lines)
