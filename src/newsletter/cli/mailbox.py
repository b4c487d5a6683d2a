"""`newsletter mailbox`: an SMTP server on loopback that keeps what it gets, and a page to look at it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.output import JsonOption, SiteOption, answer, start_logging


def mailbox(
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="For mail; 0 takes any free port.")] = 2525,
    web_port: Annotated[
        int, typer.Option("--web-port", min=0, max=65535, help="For the page; 0 takes any free port.")
    ] = 8025,
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Keep mails in this folder, else only in memory.")
    ] = None,
    site: SiteOption = None,  # noqa: ARG001 every command takes it; a mailbox belongs to no site
    as_json: JsonOption = False,
) -> None:
    """Receive mail on loopback and show it on a page, until stopped: for trying out.

    The starter's relay points here. Mail for anybody is accepted, kept, and never passed on. With --json the ports
    are told as soon as it listens.

    Example: newsletter mailbox --port 2525 --web-port 8025
    """
    from newsletter.cli import loop
    from newsletter.mailbox.box import FolderBox, MemoryBox
    from newsletter.mailbox.run import run_mailbox

    def tell(smtp_port: int, url: str) -> None:
        lines = [f"Mail is received on 127.0.0.1:{smtp_port}", f"and shown at {url}", "Ctrl-C ends it."]
        answer({"port": smtp_port, "url": url}, as_json=as_json, lines=lines)
        sys.stdout.flush()  # whoever started us through a pipe waits for this

    start_logging()
    box = MemoryBox() if folder is None else FolderBox(folder)
    loop.run(lambda stop: run_mailbox(box, port=port, web_port=web_port, stop=stop, tell=tell))
