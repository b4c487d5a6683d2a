"""`newsletter send`: deliver all that is due."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.output import Bar, JsonOption, SiteOption, answer, opened, partly, progress
from newsletter.cli.report import STATES, lines

if TYPE_CHECKING:
    from newsletter.deliver.tally import Counts
    from newsletter.model.delivery import Report

_LATELY = 50  # a look each tenth of a second: the rate is that of the last five


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

    with (
        opened(site) as app,
        app.locked("send"),
        app.locked_for_sending("send"),
        progress("sending", total=lambda: app.watch.waiting(edition), ask=app.watch.slowest) as bar,
    ):
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
    shown, lately = 0, deque([(monotonic(), 0)], maxlen=_LATELY)

    def show(counts: Counts) -> None:
        nonlocal shown
        bar.advance(counts.tried - shown)
        shown = counts.tried
        lately.append((monotonic(), shown))
        (since, before), (now, _) = lately[0], lately[-1]
        bar.note(noted(counts, per_second=(shown - before) / max(now - since, 0.1)))

    return show


def noted(counts: Counts, *, per_second: float) -> str:
    """What stands beside the bar: how fast it goes, and outcomes that occur."""
    outcomes = ("sent", "deferred", "failed", "unknown", "returned", "dropped")
    told = [f"{getattr(counts, name):,} {name}" for name in outcomes if getattr(counts, name)]
    unfit = [f"relay {name} is away" for name in counts.unfit]
    return ", ".join([f"{per_second:,.0f}/s", *told, *unfit])


def summed(reports: tuple[Report, ...]) -> dict[str, Any]:
    """The sum of several reports; `edition` is the one edition, or None for several or none."""
    counts = {name: sum(getattr(each, name) for each in reports) for name in ("recipients", *STATES)}
    editions = [each.edition for each in reports]
    return {"edition": editions[0] if len(editions) == 1 else None, "editions": editions} | counts
