"""Files that are no TOML at all: the one line that says where reading them stopped."""

from __future__ import annotations

import re
import tomllib

from newsletter.settings.faults import where
from newsletter.settings.places import Place

_SAID = re.compile(r"(?P<rule>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL)


def not_utf8(error: UnicodeDecodeError, *, file: str) -> str:
    """The fault of a file in another encoding."""
    before = error.object[: error.start]
    column = len(before.rpartition(b"\n")[2].decode("utf-8")) + 1
    place = Place(before.count(b"\n") + 1, column)
    return f"{where(file, place)}: TOML: expected UTF-8 (got byte 0x{error.object[error.start]:02x})"


def not_toml(error: tomllib.TOMLDecodeError, *, file: str, text: str) -> str:
    """The fault of a file that does not follow TOML's grammar, or has a key twice."""
    lines = text.splitlines() or [""]
    match = _SAID.fullmatch(str(error))
    rule = match["rule"] if match else str(error)
    place = Place(len(lines), len(lines[-1]) + 1)
    if match and match["line"]:
        place = Place(int(match["line"]), int(match["column"]))
    line = lines[min(place.line, len(lines)) - 1]
    if rule == "Cannot overwrite a value":
        # tomllib has read the value by then; the key is what is there twice.
        rule, place = "expected each key once", Place(place.line, len(line) - len(line.lstrip()) + 1)
    return f"{where(file, place)}: TOML: {rule[:1].lower()}{rule[1:]} (got {_without_value(line)})"


def _without_value(line: str) -> str:
    """What stands before the sign of equality: behind it may be a password."""
    key, equals, _ = line.strip().partition("=")
    if equals:
        return f"{key}= …"
    return key if key.startswith("[") else "…"
