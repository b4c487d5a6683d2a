"""`newsletter send`: deliver all that is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.output import JsonOption, SiteOption, answer, opened, partly, progress
from newsletter.cli.report import STATES, lines

if TYPE_CHECKING:
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

    with opened(site) as app, app.locked("send"), progress("sending") as bar:
        outcome, interrupted = loop.run(
            lambda stop: app.send(edition, stop=stop, on_total=bar.expect, on_done=bar.advance)
        )
    answer(
        summed(outcome.reports) | {"letters": outcome.letters, "because": outcome.because},
        as_json=as_json,
        lines=[line for each in outcome.reports for line in lines(each)]
        + ([f"letters sent: {outcome.letters}"] if outcome.letters else [])
        + ([outcome.because] if outcome.because else []),
    )
    loop.leave_if(interrupted)
    if outcome.because:
        partly()


def summed(reports: tuple[Report, ...]) -> dict[str, Any]:
    """The sum of several reports; `edition` is the one edition, or None for several or none."""
    counts = {name: sum(getattr(each, name) for each in reports) for name in ("recipients", *STATES)}
    editions = [each.edition for each in reports]
    return {"edition": editions[0] if len(editions) == 1 else None, "editions": editions} | counts
