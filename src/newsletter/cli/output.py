"""What all commands share: options, answers, progress, and exit codes."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Protocol

import typer

from newsletter import errors

if TYPE_CHECKING:
    from newsletter.app import App

SiteOption = Annotated[
    Path | None,
    typer.Option("--site", envvar="NEWSLETTER_SITE", metavar="DIR", help="The site's folder, else the current one."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]

# Plain help: rich would cost a tenth of a second before the first line.
PLAIN: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 100},
}


# What would move the cursor, ring the bell or turn the reading direction around.
_UNPRINTABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class ExitCode(IntEnum):
    """What the shell is told. Typer itself answers wrong usage with 2 and Ctrl-C with 130."""

    DONE = 0
    PARTLY = 1
    """Done in part, or refused; the reason was told."""
    USAGE = 2
    """Wrong usage or settings: nothing was begun."""
    LOCKED = 3
    INTERRUPTED = 130


_EXIT_CODES: dict[type[errors.NewsletterError], ExitCode] = {
    errors.SettingsError: ExitCode.USAGE,
    errors.SiteError: ExitCode.USAGE,
    errors.NotFoundError: ExitCode.USAGE,
    errors.AddressError: ExitCode.USAGE,
    errors.TemplateError: ExitCode.USAGE,
    errors.ImportFileError: ExitCode.USAGE,
    errors.SegmentError: ExitCode.USAGE,
    errors.LockedError: ExitCode.LOCKED,
}


def single() -> typer.Typer:
    """A frame for one command without subcommands."""
    return typer.Typer(**PLAIN)


def group(help_text: str) -> typer.Typer:
    """An empty command with subcommands; a callback makes typer keep it a group even with one of them."""
    app = typer.Typer(no_args_is_help=True, **PLAIN)
    app.callback(help=help_text)(_nothing)
    return app


def _nothing() -> None:
    pass


def exit_code(error: errors.NewsletterError) -> ExitCode:
    """The exit code of an error that ended a command."""
    kinds = (_EXIT_CODES[kind] for kind in type(error).__mro__ if kind in _EXIT_CODES)
    return next(kinds, ExitCode.PARTLY)


def guarded(command: Callable[[], object], *, as_json: bool) -> int:
    """Run a command; an error of the family becomes a line on standard error and an exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        command()
    except errors.NewsletterError as error:
        _tell(error, as_json=as_json)
        return exit_code(error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our answer has seen enough; closing standard output again at exit must not fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.PARTLY
    except OSError as error:
        print(f"error: {printable(_of_the_system(error))}", file=sys.stderr)
        return ExitCode.PARTLY
    return ExitCode.DONE


def _of_the_system(error: OSError) -> str:
    if error.errno not in {ENOSPC, EDQUOT}:
        return str(error)
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}the disk is full: make room, then run the command again ({error.strerror})"


def _tell(error: errors.NewsletterError, *, as_json: bool) -> None:
    lines = error.faults if isinstance(error, errors.SettingsError) else tuple(str(error).splitlines())
    for line in lines:
        print(
            printable(line) if isinstance(error, errors.SettingsError) else f"error: {printable(line)}", file=sys.stderr
        )
    if as_json:
        kind = type(error).__name__.removesuffix("Error").lower()
        print(to_json({"error": {"kind": kind, "message": str(error), "faults": list(lines)}}))


def answer(
    document: Mapping[str, Any] | Callable[[], Mapping[str, Any]], *, as_json: bool, lines: Iterable[str]
) -> None:
    """The result of a command: `document` for a script, or `lines` for a person. A large one is a function."""
    if as_json:
        print(to_json(document() if callable(document) else document))
        return
    for line in lines:
        print(printable(line))


def partly() -> NoReturn:
    """End the command with exit code 1, after the reason was told."""
    leave(ExitCode.PARTLY)


def leave(code: ExitCode) -> NoReturn:
    """End the command with this exit code, after the reason was told."""
    raise typer.Exit(code)


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Lines of a table with aligned columns; None is shown as a dash."""
    shown = [tuple(headers), *rows]
    widths = [0] * len(headers)
    # Twice through, for there may be thousands of rows: their texts are many times as large as their values.
    for row in shown:
        widths = [max(width, len(cell)) for width, cell in zip(widths, map(_cell, row), strict=True)]
    for row in shown:
        yield "  ".join(cell.ljust(width) for cell, width in zip(map(_cell, row), widths, strict=True)).rstrip()


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


def instant(at: datetime | None) -> str:
    """An instant to the second, as people read it; a dash for none."""
    return f"{at:%Y-%m-%d %H:%M:%S %Z}" if at else "-"


def printable(text: str) -> str:
    """`text` without anything that a terminal would obey: feeds and files are written by strangers."""
    return _UNPRINTABLE.sub("\ufffd", text)


def to_json(document: object) -> str:
    """`document` as one JSON text: instants as ISO 8601, durations in seconds, dataclasses as objects."""
    text = json.dumps(document, default=_plain, ensure_ascii=False, indent=2)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(document, default=_plain, indent=2)
    return text


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


class Bar(Protocol):
    """Shows how far long work has come."""

    def advance(self, steps: int = 1) -> None:
        """So many steps more are done."""

    def expect(self, total: int) -> None:
        """This many steps are needed in all."""

    def note(self, text: str) -> None:
        """Something to show beside it."""


@contextmanager
def progress(
    what: str, *, total: int | Callable[[], int] | None = None, ask: Callable[[], str] = lambda: ""
) -> Iterator[Bar]:
    """A progress bar on standard error while the work goes on; nothing where that is not a terminal.

    What `ask` says stands at its end: it is asked every two seconds, in a thread. A `total` that costs
    something to find is a function, called only where there is a bar.
    """
    if not sys.stderr.isatty():
        yield _NoBar()
        return
    from newsletter.cli.bar import rich_bar

    with rich_bar(what, total=total() if callable(total) else total, ask=ask) as bar:
        yield bar


class _NoBar:
    def advance(self, steps: int = 1) -> None:
        pass

    def expect(self, total: int) -> None:
        pass

    def note(self, text: str) -> None:
        pass


def start_logging() -> None:
    """Send logs to standard error at the level asked for."""
    from newsletter import log

    log.configure(os.environ.get("NEWSLETTER_LOG_LEVEL", LogLevel.INFO))


@contextmanager
def opened(site: Path | None, *, feeds_to_come: bool = False) -> Iterator[App]:
    """The wired application of a site, closed afterwards. Settings that cannot be used raise SettingsError.

    A command that writes feeds' files works on a site whose digests name none yet (`feeds_to_come`).
    """
    start_logging()  # before others load structlog, see there
    from newsletter.app import App
    from newsletter.site import open_site

    app = App.open(open_site(site, feeds_to_come=feeds_to_come))
    try:
        yield app
    finally:
        app.close()
