"""Files that commands read and write, apart from any site."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from newsletter.cli.output import to_json

if TYPE_CHECKING:
    from newsletter.readers.importing import BadRow


@contextmanager
def csv_lines(file: Path) -> Iterator[Iterable[str]]:
    """The lines of a file, or of standard input for `-`."""
    from newsletter.errors import ImportFileError

    try:
        binary = sys.stdin.buffer if str(file) == "-" else file.open("rb")
    except OSError as error:
        raise ImportFileError(str(file), error.strerror or "cannot be read") from error
    # A byte that is not UTF-8 spoils its own row, not the file: see read_newcomers.
    with io.TextIOWrapper(binary, encoding="utf-8", errors="surrogateescape", newline="") as lines:
        yield lines


def rows_in(file: Path) -> int | None:
    """About how many rows a file has, for a progress bar; None for what can be read once only."""
    if not sys.stderr.isatty() or not file.is_file():
        return None
    with file.open("rb") as binary:
        return max(0, sum(block.count(b"\n") for block in iter(lambda: binary.read(1 << 20), b"")) - 1)


@contextmanager
def bad_row_report(out: Path | None, *, file: Path) -> Iterator[Callable[[BadRow], object]]:
    """What tells of bad rows: on standard error, or line and reason into a CSV file. Nothing of the rows themselves."""
    if out is None:
        yield lambda row: print(f"{file}:{row.line}: {row.because}", file=sys.stderr)
        return
    with written(out) as to:
        writer = csv.writer(to)
        writer.writerow(("line", "because"))
        yield lambda row: writer.writerow((row.line, row.because))


@contextmanager
def written(out: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file for its owner's eyes that appears when it is whole."""
    if out is None:
        yield sys.stdout
        return
    part = out.with_name(f"{out.name}.part")
    with os.fdopen(
        os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline=""
    ) as to:
        yield to
    part.replace(out)


def write_json(people: Iterable[dict[str, Any]], to: TextIO) -> int:
    """One document, written person by person so that a large list needs no memory."""
    count = 0
    to.write('{"subscribers": [')
    for count, person in enumerate(people, start=1):
        to.write(f"{',' if count > 1 else ''}\n{to_json(person)}")
    to.write("\n]}\n")
    return count
