"""The command line: which commands there are, and where each of them lives.

How to add a command (there is a test that holds every command to this):

1. Write a function in a file of this folder, named after the command or its group. Annotate its arguments as typer
   wants them and give it `site: SiteOption = None, as_json: JsonOption = False`. Its docstring says what it does and
   ends in a paragraph `Example: newsletter …`.
2. At the top of the file import the standard library, typer and `newsletter.cli.output`, nothing else; import the
   rest inside the function. A command that is not run must cost nothing.
3. Give it a line in `COMMANDS` below. A command with subcommands is a `typer.Typer` made by `output.group()` instead.
4. Return results through `output.answer(document, as_json=as_json, lines=…)`; raise an error of the family for what
   went wrong, and call `output.partly()` for work done in part. `main` turns them into exit codes.

    def poll(feeds: Annotated[list[str] | None, typer.Argument()] = None, *,
             site: SiteOption = None, as_json: JsonOption = False) -> None:
        with opened(site) as app: ...
        answer({"feeds": [...]}, as_json=as_json, lines=[...])
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from newsletter.cli import output

# What each command is: its file, and the line that `newsletter --help` shows without loading that file.
COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "A site": {
        "init": ("init", "Write the starter site into an empty folder."),
        "check": ("check", "Check settings, templates and store; report all faults at once."),
        "demo": ("demo", "Run the whole pipeline on this machine, with sample partners and a mailbox."),
        "mailbox": ("mailbox", "Receive mail on loopback and show it on a page: for trying out."),
    },
    "Feeds and items": {
        "poll": ("poll", "Ask the feeds that are due."),
        "feeds": ("feeds", "List feeds with their health; show one; add one."),
        "items": ("items", "Show what was read, and why it was merged, held or dropped."),
    },
    "Editions": {
        "compose": ("compose", "Freeze the next edition of a digest."),
        "preview": ("preview", "Write an edition as HTML, as text and as a mail."),
        "test-send": ("preview", "Send an edition to a few addresses, marked as a test."),
        "approve": ("decide", "Let an edition go."),
        "cancel": ("decide", "Stop an edition for good."),
        "pause": ("decide", "Hold an edition back for now."),
        "resume": ("decide", "Let a paused edition go on."),
        "send": ("send", "Deliver all that is due."),
        "report": ("report", "Account for every recipient of an edition."),
        "resend": ("report", "Queue failed, deferred or unknown deliveries again."),
    },
    "Readers": {
        "subscribers": ("subscribers", "Add, import, count, export, show, unsubscribe and erase people."),
        "suppressions": ("suppressions", "List, add and lift suppressions of addresses and domains."),
    },
    "Operation": {
        "tick": ("run", "Do all that is due now, once: for cron."),
        "run": ("run", "Do what is due, for ever: for systemd."),
        "keys": ("keys", "Change the key that links are sealed with."),
        "dkim": ("dkim", "Make keys that mail is signed with, and show their DNS records."),
        "web": ("web", "Serve the public pages alone."),
    },
}


class CommandTable(Mapping[str, Any]):
    """The commands by name, in the order of the table; each is loaded when it is looked up."""

    def __init__(self) -> None:
        self._modules = {name: line[0] for section in COMMANDS.values() for name, line in section.items()}

    def __getitem__(self, name: str) -> Any:
        return load(name, self._modules[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


class Commands(TyperGroup):
    """The root of the command line, which shows its help without loading a single command."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**(attributes | {"commands": CommandTable()}))

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        for title, section in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, line) in section.items()])


def load(name: str, module: str) -> Any:
    """The command `name` out of its file: a function, or a group made by `output.group()`."""
    found = getattr(import_module(f"newsletter.cli.{module}"), name.replace("-", "_"))
    if not isinstance(found, typer.Typer):
        app = output.single()
        app.command(name)(found)
        found = app
    return get_command(found)


def root() -> Any:
    """The whole command line as one callable."""
    app = typer.Typer(cls=Commands, no_args_is_help=True, **output.PLAIN)
    app.callback()(newsletter)
    return get_command(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        from newsletter import __version__

        print(f"newsletter {__version__}")
        raise typer.Exit


def newsletter(
    *,
    log_level: Annotated[
        output.LogLevel, typer.Option(envvar="NEWSLETTER_LOG_LEVEL", help="Least important log line to show.")
    ] = output.LogLevel.INFO,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """From partner feeds to the inbox: an email newsletter and syndication pipeline.

    Every command takes --site DIR (else NEWSLETTER_SITE, else the current folder), --json (one JSON document on
    standard output, logs on standard error) and --help.

    Exit codes: 0 done; 1 done in part or refused, with the reason; 2 wrong usage or settings; 3 another run holds the
    lock; 130 interrupted, state safe.

    Example: newsletter init my-site && newsletter check --site my-site
    """
    os.environ["NEWSLETTER_LOG_LEVEL"] = log_level


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; wrong usage leaves by SystemExit, as typer does it."""
    given = sys.argv[1:] if arguments is None else arguments
    command_line = root()
    return output.guarded(
        lambda: command_line(args=options_last(given), prog_name="newsletter"), as_json="--json" in given
    )


def options_last(arguments: list[str]) -> list[str]:
    """`arguments` with `--site DIR` and `--json`, where they stand before the command, moved behind it.

    Every command declares the two; people expect them to work on either side.
    """
    kept: list[str] = []
    moved: list[str] = []
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "--":
        option, equals, _ = rest[0].partition("=")
        width = 2 if option in {"--site", "--log-level"} and not equals else 1
        (moved if option in {"--site", "--json"} else kept).extend(rest[:width])
        del rest[:width]
    end = rest.index("--") if "--" in rest else len(rest)
    return [*kept, *rest[:end], *moved, *rest[end:]]
