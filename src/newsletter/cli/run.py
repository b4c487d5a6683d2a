"""`newsletter tick` and `newsletter run`: the whole pipeline, once for cron or for ever for systemd."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli.output import JsonOption, SiteOption, answer, opened, partly

if TYPE_CHECKING:
    from newsletter.app import App, Tick
    from newsletter.beside import Beside
    from newsletter.scheduler import Serve


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
    from newsletter.cli.poll import document as polled
    from newsletter.cli.send import summed, tried

    with opened(site) as app, app.locked("tick"), app.locked_for_sending("tick"):
        done, interrupted = loop.run(app.tick)
    document = {
        "feeds": [polled(each) for each in done.polled],
        "composed": [
            {"digest": each.slot.digest_id, "slot": each.slot.key, "edition": each.edition_id, "because": each.because}
            for each in done.settled
        ],
        "sent": summed(done.sent.reports) | tried(done.sent.counts),
    }
    answer(document, as_json=as_json, lines=_lines(done))
    loop.leave_if(interrupted)
    if done.sent.because or any(each.failed for each in done.polled) or any(each.failed for each in done.settled):
        partly()


def run(
    *,
    role: Annotated[RoleName, typer.Option("--role", help="What this process does.")] = RoleName.ALL,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Do what is due, for ever, and serve the web pages in a process beside it. SIGTERM drains within 30 s.

    Example: newsletter run --role all
    """
    import uvloop

    with opened(site) as app, _locked(app, role), _beside(app, role) as beside, _pages(app, role) as serve:
        from newsletter import scheduler

        if role is not RoleName.WEB:
            app.dispatch.recover(alone=role is not RoleName.CLOCK)
        parts, pulses = [*serve, *(each.run for each in beside)], [each.pulse for each in beside]
        uvloop.run(scheduler.run(app, scheduler.Role(role), serve=parts, pulses=pulses))
    answer({"role": role, "stopped": True}, as_json=as_json, lines=[])


@contextmanager
def _locked(app: App, role: RoleName) -> Iterator[None]:
    """What this role must have to itself. Pages change nothing that needs a lock."""
    command = f"run --role {role}"
    with ExitStack() as locks:
        if role in {RoleName.ALL, RoleName.CLOCK}:
            locks.enter_context(app.locked(command))
        if role in {RoleName.ALL, RoleName.SENDER}:
            locks.enter_context(app.locked_for_sending(command))
        yield


@contextmanager
def _beside(app: App, role: RoleName) -> Iterator[tuple[Beside, ...]]:
    """Who leaves must not wait for the processor that sends: with all roles, the pages have a process of their own."""
    if role is not RoleName.ALL:
        yield ()
        return
    from newsletter.beside import Beside
    from newsletter.listening import listening_at
    from newsletter.sdnotify import watchdog_interval

    web = app.settings.web
    with listening_at(web.host, web.port, setting="[web] listen") as sock:
        command = [sys.executable, "-m", "newsletter.cli.pages", str(app.site.folder), str(sock.fileno())]
        if (told_every := watchdog_interval()) is not None:
            command.append(str(told_every.total_seconds() / 2))
        yield (Beside(command, sock=sock, part="serves pages"),)


@contextmanager
def _pages(app: App, role: RoleName) -> Iterator[tuple[Serve, ...]]:
    """What serves pages in this process; a web server is loaded where there is something for it to serve."""
    serve: list[Serve | None] = []
    with ExitStack() as listening:
        if role is RoleName.WEB:
            from newsletter.web.serve import pages

            serve.append(listening.enter_context(pages(app)))
        if app.settings.metrics is not None:
            from newsletter.web.operator import operator_pages

            serve.append(listening.enter_context(operator_pages(app)))
        yield tuple(each for each in serve if each is not None)


def _lines(done: Tick) -> list[str]:
    feeds = [f"{each.feed}: {each.because or f'{each.new} new, {each.changed} changed'}" for each in done.polled]
    editions = [f"{each.slot.digest_id}: {each.edition_id or each.because}" for each in done.settled]
    because = [done.sent.because] if done.sent.because else []
    return [*feeds, *editions, f"{done.sent.counts.tried} messages tried", *because]
