"""`newsletter report` and `resend`: account for every recipient, and decide about those without a good end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli.decide import EditionArgument
from newsletter.cli.output import JsonOption, SiteOption, answer, opened, table
from newsletter.model.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from newsletter.model.delivery import Report
    from newsletter.model.visit import Tally
    from newsletter.waits import Wait

STATES = ("queued", "sending", "sent", "deferred", "failed", "unknown", "suppressed")


def report(edition: EditionArgument, *, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Account for every recipient of an edition: how many are in each state, and why.

    Example: newsletter report daily-2026-11-23 --json
    """
    with opened(site) as app:
        found = app.editions.report(edition)
        about = app.editions.get(edition)
        tallies = app.visits.tallies(edition)
        held_up = app.waits(found)
    told = f"{about.state}: {about.state_because}" if about.state_because else about.state
    answer(
        document(found)
        | {"state": about.state, "state_because": about.state_because or None}
        | {"waits": [_wait(each) for each in held_up]}
        | visits(tallies),
        as_json=as_json,
        lines=[*lines(found), *_wait_lines(held_up), *_visit_lines(tallies), "", told],
    )


def document(found: Report) -> dict[str, Any]:
    """A report in the shape that scripts read."""
    reasons = [{"state": state, "because": because, "count": count} for state, because, count in found.reasons]
    counts = {state: getattr(found, state) for state in STATES}
    forms = {name: getattr(found, name) for name in _FORMS}
    return {"edition": found.edition, "recipients": found.recipients} | counts | forms | {"reasons": reasons}


_AGENTS = {
    "person": "people, as far as can be told",
    "proxy": "mail providers' picture proxies, read or not",
    "machine": "scanners and other programs",
}
_FORMS = {
    "variants": "forms of the edition",
    "left_out": "had some of it already: that was left out",
    "shortened": "had some of it already: that was shortened",
    "not_sent": "would have got nothing: not sent",
    "nearest": "got a form near their own: there were too many",
    "missed": "miss some of it: another edition left it out, since this one was to bring it",
}


def _wait(wait: Wait) -> dict[str, Any]:
    until = wait.until.isoformat() if wait.until else None
    return {"who": wait.who, "count": wait.many, "because": wait.because, "until": until}


def _wait_lines(held_up: Sequence[Wait]) -> list[str]:
    rows = [(each.who, each.many or "", _minute(each.until), each.because) for each in held_up]
    return ["", *table(("WAITS FOR", "COUNT", "UNTIL", "BECAUSE"), rows)] if rows else []


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M %Z}" if at else ""


def visits(tallies: Sequence[Tally]) -> dict[str, Any]:
    """What was counted, where the digest counts: `opens` by who it was, `clicks` by link."""
    links = dict.fromkeys(each.url for each in tallies if each.url)
    return {"opens": _by_agent(tallies, ""), "clicks": [{"url": url} | _by_agent(tallies, url) for url in links]}


def _by_agent(tallies: Sequence[Tally], url: str) -> dict[str, int]:
    counts = {each.agent.value: each.count for each in tallies if each.url == url}
    return {name: counts.get(name, 0) for name in _AGENTS}


def _visit_lines(tallies: Sequence[Tally]) -> list[str]:
    rows = [(each.url or "opened", each.count, _AGENTS[each.agent.value]) for each in tallies]
    return ["", *table(("WHAT", "COUNT", "BY"), rows)] if rows else []


def lines(found: Report) -> list[str]:
    """A report as a person reads it: states that occur, then the reasons."""
    counts = [(state, getattr(found, state)) for state in STATES if getattr(found, state)]
    reasons = [(state, count, because) for state, because, count in found.reasons]
    forms = [
        (getattr(found, name), said) for name, said in _FORMS.items() if getattr(found, name) > (name == "variants")
    ]
    return [
        f"{found.edition}: {counted(found.recipients, 'recipient')}",
        *table(("STATE", "COUNT"), counts),
        *(("", *table(("STATE", "COUNT", "BECAUSE"), reasons)) if reasons else ()),
        *(("", *table(("READERS", "WHO"), forms)) if forms else ()),
    ]


def resend(
    edition: EditionArgument,
    *,
    only: Annotated[
        str, typer.Option("--only", metavar="STATES", help="Any of deferred,failed,unknown; separated by commas.")
    ],
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Queue deliveries again: your decision, since who got an unknown one may get it twice (same Message-ID).

    Example: newsletter resend daily-2026-11-23 --only failed,unknown
    """
    from newsletter.model.delivery import DeliveryState

    names = tuple(name.strip() for name in only.split(","))
    for name in names:
        if name not in {"deferred", "failed", "unknown"}:
            raise typer.BadParameter(f"expected deferred, failed or unknown, got {name!r}", param_hint="--only")
    with opened(site) as app:
        queued = app.resend(edition, tuple(DeliveryState(name) for name in names))
    answer({"edition": edition, "queued": queued}, as_json=as_json, lines=[f"{edition}: {queued} queued again"])
