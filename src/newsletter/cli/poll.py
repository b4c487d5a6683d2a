"""`newsletter poll`: ask the feeds that are due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli.output import JsonOption, SiteOption, answer, opened, partly, progress, table

if TYPE_CHECKING:
    from newsletter.model.item import PollReport


def poll(
    feeds: Annotated[list[str] | None, typer.Argument(metavar="[FEED]...", help="Only these feeds.")] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Also those that are not due.")] = False,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the feeds that are due, and keep what is new.

    --force also asks those that are not due, but never one that is gone (410) or asked us to wait (Retry-After).

    Example: newsletter poll arab-center --force
    """
    from newsletter.cli import loop

    with opened(site) as app:
        wanted = tuple(feeds or ())
        with progress("polling", total=len(wanted) or len(app.settings.feeds)) as bar:
            reports, interrupted = loop.run(
                lambda stop: app.poll(wanted, force=force, stop=stop, on_feed=lambda _: bar.advance())
            )
    answer(lambda: {"feeds": list(map(document, reports))}, as_json=as_json, lines=_lines(reports))
    loop.leave_if(interrupted)
    if any(each.failed for each in reports):
        partly()


_COUNTED = ("feed", "status", "new", "changed", "known", "held", "retracted")


def document(report: PollReport) -> dict[str, object]:
    """A report in the shape that scripts read."""
    return {name: getattr(report, name) for name in (*_COUNTED, "because")}


def _lines(reports: tuple[PollReport, ...]) -> Iterator[str]:
    rows = ((*(getattr(each, name) for name in _COUNTED), each.because or "") for each in reports)
    return table((*(name.upper() for name in _COUNTED), "BECAUSE"), rows)
