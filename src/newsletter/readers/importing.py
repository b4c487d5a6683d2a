"""Reading files of subscribers: rows become newcomers, or are refused with their line and the reason.

A file is read as it comes, row by row, so its size does not matter. Nothing that is refused shows in a reason but its
place: files of addresses are personal.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from newsletter.errors import AddressError, ImportFileError
from newsletter.model.subscriber import Newcomer, SubscriptionState
from newsletter.model.text import one_line
from newsletter.readers.address import checked
from newsletter.readers.exporting import unguarded

_ADDRESS_HEADERS = ("address", "email", "e-mail", "email address", "e-mail address", "mail")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_LONGEST_NAME = 200
_LONGEST_FIELD = 1000
_OURS = ("state", "since_at", "created_at")
"""Columns by which a file that we exported is known."""
_UNDECODED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that was not taken; `line` is where it begins in the file, counted from 1."""

    line: int
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Where in a row things are. `state` is only looked at in a file that we exported ourselves."""

    address: int
    name: int | None
    lists: int | None
    language: int | None
    state: int | None
    fields: tuple[tuple[int, str], ...]
    width: int


def read_newcomers(
    lines: Iterable[str], *, file: str, lists: Collection[str], default_list: str | None
) -> Iterator[Newcomer | BadRow]:
    """The rows of a CSV file with a header: `address`, and maybe `name`, `list`, `language` and any further fields.

    Several lists in one cell are separated by blanks, commas or semicolons; without any, `default_list` is meant.
    Delimiters may be commas, semicolons or tabs. ImportFileError if there is no header that names the addresses.
    `lines` keep their line ends and were decoded with `surrogateescape`, so that one bad byte spoils one row.
    """
    source = iter(lines)
    header = next(source, "").removeprefix("\ufeff")
    delimiter = max(",;\t", key=header.count)
    columns = _columns(next(csv.reader([header], delimiter=delimiter), []), file=file)
    for line, cells in _rows(source, delimiter=delimiter):
        try:
            if isinstance(cells, str):
                raise ValueError(cells)  # noqa: TRY301 TRY004 one way to refuse a row
            if any(cell.strip() for cell in cells):
                yield _newcomer(cells, columns, lists=lists, default_list=default_list)
        except (ValueError, AddressError) as error:
            yield BadRow(line=line, because=str(error))


def _rows(source: Iterator[str], *, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Each row with the line it begins in, or what is wrong with its quotation marks."""
    # Strict: otherwise a quotation mark that is never closed would swallow all that follows without a word.
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 2  # the header was the first
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, f"quotation marks do not match, read up to line {reader.line_num + 1}"


def _columns(header: Sequence[str], *, file: str) -> _Columns:
    names = [one_line(cell).lower() for cell in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise ImportFileError(file, f"the header has {', '.join(twice)} more than once")
    address = next((names.index(name) for name in _ADDRESS_HEADERS if name in names), None)
    if address is None:
        raise ImportFileError(file, 'the first line names no column "address" (or "email")')
    ours = set(_OURS) <= set(names)
    places = {
        name: names.index(name) for name in ("name", "list", "language", *(_OURS if ours else ())) if name in names
    }
    taken = {address, *places.values()}
    return _Columns(
        address=address,
        name=places.get("name"),
        lists=places.get("list"),
        language=places.get("language"),
        state=places.get("state"),
        fields=tuple((index, name) for index, name in enumerate(names) if name and index not in taken),
        width=len(names),
    )


def _newcomer(cells: Sequence[str], columns: _Columns, *, lists: Collection[str], default_list: str | None) -> Newcomer:
    """The person in a row; ValueError or AddressError say what is wrong with it."""
    if len(cells) > columns.width:
        raise ValueError(f"{len(cells)} cells, the header has {columns.width}")
    row = [unguarded(cell).strip() for cell in cells] + [""] * (columns.width - len(cells))
    if _UNDECODED.search("".join(row)):
        raise ValueError("not UTF-8")
    state = _cell(row, columns.state)
    if state not in {"", SubscriptionState.ACTIVE}:
        raise ValueError(f"exported as {state}: an import brings in who is active, nobody else")
    return Newcomer(
        address=checked(row[columns.address]),
        name=one_line(_cell(row, columns.name), limit=_LONGEST_NAME),
        lists=_lists(_cell(row, columns.lists), lists=lists, default_list=default_list),
        fields=tuple(
            (name, one_line(row[index], limit=_LONGEST_FIELD)) for index, name in columns.fields if row[index]
        ),
        language=_language(_cell(row, columns.language)),
    )


def _cell(row: Sequence[str], column: int | None) -> str:
    return row[column] if column is not None else ""


def _language(cell: str) -> str | None:
    if cell and not _LANGUAGE.fullmatch(cell):
        raise ValueError("language: expected a tag such as en or pt-BR")
    return cell or None


def _lists(cell: str, *, lists: Collection[str], default_list: str | None) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(filter(None, re.split(r"[\s,;]+", cell)))) or ((default_list,) if default_list else ())
    if not wanted or not set(wanted) <= set(lists):
        said = "no such list" if wanted else "no list is named"
        raise ValueError(f"{said}, there is {', '.join(sorted(lists)) or 'none'}")
    return wanted
