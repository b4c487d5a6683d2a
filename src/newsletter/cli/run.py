"""`newsletter tick` and `newsletter run`: the whole pipeline, once for cron or for ever for systemd."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from newsletter.cli.output import JsonOption, SiteOption, answer, opened, partly


class RoleName(StrEnum):
    ALL = "all"
    CLOCK = "clock"
    SENDER = "sender"
    WEB = "web"


def tick(*, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Do all that is due now, once: poll, compose, send, settle, prune. Safe to overlap: the second ends with code 3.

    Example: newsletter tick --site /srv/brief
    """
    from newsletter.cli import loop
    from newsletter.cli.poll import _document as polled
    from newsletter.cli.send import summed

    with opened(site) as app, app.locked("tick"):
        done, interrupted = loop.run(app.tick)
    document = {
        "feeds": [polled(each) for each in done.polled],
        "composed": [
            {"digest": each.digest_id, "edition": each.edition_id, "because": each.because} for each in done.composed
        ],
        "sent": summed(done.sent.reports) | {"letters": done.sent.letters},
        "because": done.sent.because,
    }
    answer(document, as_json=as_json, lines=done.lines())
    loop.leave_if(interrupted)
    if done.sent.because or any(each.failed for each in done.polled):
        partly()


def run(
    *,
    role: Annotated[RoleName, typer.Option("--role", help="What this process does.")] = RoleName.ALL,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Do what is due, for ever, and serve the web pages. SIGTERM drains within 30 s.

    Example: newsletter run --role all
    """
    import uvloop

    from newsletter import scheduler

    with opened(site) as app, app.locked(f"run --role {role}"):
        app.recover()
        uvloop.run(scheduler.run(app, scheduler.Role(role)))
    answer({"role": role, "stopped": True}, as_json=as_json, lines=[])
