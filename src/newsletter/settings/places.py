"""Where in a TOML text each key and value stands, which tomllib knows and does not tell.

Only for texts that tomllib has accepted: nothing is checked here, so that reading stays a matter of finding the next
bracket, comma or sign of equality. Made only when there is a fault to be located.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
# One part of a dotted key: bare, "basic" or 'literal'.
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
# Strings in three quotes may end in up to two quotes more that belong to them.
_SCALAR = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:[^"\\]|\\.)*"' r"|'[^']*'" r"|[^,\]\}\#\r\n]+", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, both counted from 1; columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Places:
    """Where things stand, by their path: names of keys and, within arrays, indexes from 0."""

    keys: Mapping[Path, Place]
    values: Mapping[Path, Place]

    def of_key(self, path: Path) -> Place:
        """Where the key stands, or the nearest table around it that is written down: for missing keys too."""
        return self.keys.get(path) or self.of_value(path)

    def of_value(self, path: Path) -> Place:
        """Where the value begins (a table's at its header), or the nearest value around it."""
        while path:
            if found := self.values.get(path) or self.keys.get(path):
                return found
            path = path[:-1]
        return Place(1, 1)


def find_places(text: str) -> Places:
    """Where every key, table and value of a valid TOML text stands."""
    reader = _Reader(text)
    reader.document()
    return Places(reader.keys, reader.values)


class _Reader:
    """Walks through the text once, noting what it passes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._lengths: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        self._blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._blank()

    def _header(self) -> Path:
        """`[a.b]` or `[[a.b]]`: the path of the table it opens."""
        start = self._place(self.at)
        is_element = self.text.startswith("[[", self.at)
        self.at += 2 if is_element else 1
        self._blank()
        table: Path = ()
        for part, place in self._key():
            if table in self._lengths:
                table = (*table, self._lengths[table] - 1)
            table = (*table, part)
            self.keys.setdefault(table, place)
        if is_element:
            self._lengths[table] = self._lengths.get(table, 0) + 1
            table = (*table, self._lengths[table] - 1)
        else:
            # Its own header is a better place than that of a table inside it, which named it in passing.
            self.keys[table] = place
        self.values[table] = start
        self.at = self.text.index("]", self.at) + (2 if is_element else 1)
        return table

    def _pair(self, table: Path) -> None:
        """`a.b = value`, in a table or an inline table."""
        path = table
        for part, place in self._key():
            path = (*path, part)
            self.keys.setdefault(path, place)
        self._blank()
        self.at += 1  # the sign of equality
        self._blank()
        self._value(path)

    def _key(self) -> list[tuple[str, Place]]:
        """The parts of a dotted key, each with its place."""
        parts = []
        while match := _KEY_PART.match(self.text, self.at):
            parts.append((_spelt_out(match.group()), self._place(self.at)))
            self.at = match.end()
            dot = _DOT.match(self.text, self.at)
            if dot is None:
                break
            self.at = dot.end()
        return parts

    def _value(self, path: Path) -> None:
        self.values[path] = self._place(self.at)
        opening = self.text[self.at]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            match = _SCALAR.match(self.text, self.at)
            assert match is not None, "tomllib accepted what we cannot read"
            self.at = match.end()

    def _array(self, path: Path) -> None:
        index = 0
        while self._next_in("]"):
            self._value((*path, index))
            index += 1

    def _inline_table(self, path: Path) -> None:
        while self._next_in("}"):
            self._pair(path)

    def _next_in(self, closing: str) -> bool:
        """Step over an opening bracket or a comma; False, and past the closing bracket, if that came next."""
        self._blank()
        if self.text[self.at] in "[{,":
            self.at += 1
            self._blank()
        if self.text[self.at] == closing:
            self.at += 1
            return False
        return True

    def _blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        assert match is not None
        self.at = match.end()

    def _place(self, at: int) -> Place:
        line = bisect_right(self._starts, at)
        return Place(line, at - self._starts[line - 1] + 1)


def _spelt_out(part: str) -> str:
    """A part of a key without its quotes and escapes."""
    if part[0] not in "\"'":
        return part
    (name,) = tomllib.loads(f"{part} = 0")
    return str(name)
