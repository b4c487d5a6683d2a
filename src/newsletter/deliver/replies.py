"""Cutting what a server says into its replies (RFC 5321 section 4.2). Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_LONGEST_LINE: Final = 8192
_LONGEST_REPLY: Final = 4 * _LONGEST_LINE
_CODE: Final = 3


class Replies:
    """Takes bytes as they come and gives whole replies, each its code and its lines joined by LF."""

    __slots__ = ("_lines", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[str] = []

    def fed(self, data: bytes) -> list[tuple[int, str]]:
        """The replies that are complete now. ValueError for what is none, or has no end."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            raise ValueError("a line without an end")
        done = []
        for line in lines:
            code, more, text = _parsed(line)
            if more or self._lines:
                self._lines.append(text)
                if sum(map(len, self._lines)) > _LONGEST_REPLY:
                    raise ValueError("a reply without an end")
                if more:
                    continue
                text, self._lines = "\n".join(self._lines), []
            done.append((code, text))
        return done


@lru_cache(maxsize=64)  # most servers say the same to everybody
def _parsed(line: bytes) -> tuple[int, bool, str]:
    digits, mark = line[:_CODE], line[_CODE : _CODE + 1]
    if not digits.isdigit() or len(digits) < _CODE or mark.strip() not in {b"", b"-"}:
        raise ValueError("a line that is no reply")
    return int(digits), mark == b"-", line[_CODE + 1 :].strip().decode("utf-8", "replace")
