"""`newsletter send`: deliver all that is due."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.output import Bar, JsonOption, SiteOption, answer, opened, partly, progress
from newsletter.cli.report import STATES, lines

if TYPE_CHECKING:
    from newsletter.deliver.tally import Counts
    from newsletter.model.delivery import Report


def send(
    edition: Annotated[
        str | None, typer.Argument(metavar="[EDITION]", help="Only this edition; all that is due unless told.")
    ] = None,
    *,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Deliver all that is due; returns when nothing is due or in flight.

    Example: newsletter send
    """
    from newsletter.cli import loop

    with opened(site) as app, app.locked("send"), app.locked_for_sending("send"), progress("sending") as bar:
        outcome, interrupted = loop.run(lambda stop: app.dispatch.send(edition, stop=stop, on_progress=_shown_on(bar)))
    answer(
        summed(outcome.reports) | tried(outcome.counts),
        as_json=as_json,
        lines=[line for each in outcome.reports for line in lines(each)]
        + [f"tried {outcome.counts.tried} messages, letters included; {outcome.counts.sent} were accepted"]
        + [*outcome.counts.alarms, *([outcome.counts.because] if outcome.counts.because else [])],
    )
    loop.leave_if(interrupted)
    if outcome.because:
        partly()


def tried(counts: Counts) -> dict[str, Any]:
    """What this run did, editions and letters together."""
    names = ("sent", "deferred", "failed", "unknown", "returned", "dropped")
    told = {name: getattr(counts, name) for name in names}
    return {"tried": told, "because": counts.because, "alarms": list(counts.alarms)}


def _shown_on(bar: Bar) -> Callable[[Counts], None]:
    shown = 0

    def show(counts: Counts) -> None:
        nonlocal shown
        bar.advance(counts.tried - shown)
        shown = counts.tried

    return show


def summed(reports: tuple[Report, ...]) -> dict[str, Any]:
    """The sum of several reports; `edition` is the one edition, or None for several or none."""
    counts = {name: sum(getattr(each, name) for each in reports) for name in ("recipients", *STATES)}
    editions = [each.edition for each in reports]
    return {"edition": editions[0] if len(editions) == 1 else None, "editions": editions} | counts
