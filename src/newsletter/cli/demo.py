"""`newsletter demo`: the whole pipeline on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.output import JsonOption, SiteOption, answer, partly


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End by itself instead of showing the pages.")] = False,
    readers: Annotated[int, typer.Option("--readers", min=1, max=999, help="How many subscribers.")] = 300,
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Keep site and mails in this empty folder.")
    ] = None,
    site: SiteOption = None,  # noqa: ARG001 every command takes it; the demo makes a site of its own
    as_json: JsonOption = False,
) -> None:
    """Run the whole pipeline on this machine: sample partners, a site, a mailbox, and the pages to look at.

    Nothing leaves the machine. With --once it ends by itself, with exit code 0 only if every subscriber has exactly
    one mail.

    Example: newsletter demo --once
    """
    import tempfile

    from newsletter import log
    from newsletter.cli import loop
    from newsletter.demo.run import run_demo
    from newsletter.errors import SiteError

    # The demo tells what it does itself.
    log.configure("warning")
    with tempfile.TemporaryDirectory(prefix="newsletter-demo-") as temporary:
        home = folder or Path(temporary)
        if home.is_dir() and any(home.iterdir()):
            raise SiteError(str(home), because="not empty: the demo makes a site of its own there")
        tell = (lambda _: None) if as_json else (lambda line: print(line, flush=True))
        outcome, interrupted = loop.run(
            lambda stop: run_demo(home, readers=readers, stop=stop, tell=tell, stay=not once)
        )
    names = outcome.__slots__
    answer({name: getattr(outcome, name) for name in names} | {"ok": outcome.went_well}, as_json=as_json, lines=[])
    if not outcome.went_well:
        loop.leave_if(interrupted)
        partly()
