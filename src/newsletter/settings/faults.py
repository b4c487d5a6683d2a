"""Faults in settings: collected as values, told as lines `file:line:column: key: rule (got …)`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from newsletter.settings.places import Path, Place, Places

_LONGEST_GOT = 80
_NOTHING = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong in one file. `at_key` says that the key itself is at fault, not the value behind it."""

    path: Path
    rule: str
    got: str
    at_key: bool = False


def refuse(rule: str, *, got: str | None = None, at: Path = ()) -> PydanticCustomError:
    """What a validator raises: the rule, and, where it is not the whole value, what broke it and where inside it."""
    return PydanticCustomError("rule", "{rule}", {"rule": rule, "got": got, "at": at})


def faults_of(error: ValidationError, model: type[BaseModel]) -> tuple[Fault, ...]:
    """Everything pydantic found, in the order of the model."""
    return tuple(_fault(details, model) for details in error.errors(include_url=False))


def told(faults: Sequence[Fault], *, file: str, places: Places, environment: Mapping[Path, str]) -> Iterator[str]:
    """A line for each fault, in the order of the file. `environment` names the variables that stand in for values."""
    located = [(places.of_key(fault.path) if fault.at_key else places.of_value(fault.path), fault) for fault in faults]
    for place, fault in sorted(located, key=lambda pair: (pair[0].line, pair[0].column)):
        key = ".".join(_quoted(part) for part in fault.path) or "file name"
        variable = environment.get(fault.path)
        yield f"{variable or where(file, place)}: {key}: {fault.rule} (got {fault.got})"


def where(file: str, place: Place) -> str:
    """`file:line:column`, as editors jump to it."""
    return f"{file}:{place.line}:{place.column}"


def _quoted(part: str | int) -> str:
    return str(part) if re.fullmatch(r"[\w-]+", str(part)) else json.dumps(part, ensure_ascii=False)


def _fault(details: ErrorDetails, model: type[BaseModel]) -> Fault:
    context: Mapping[str, Any] = details.get("ctx", {})
    # A bad name of a table is reported at ("digests", "Bad Name", "[key]").
    path = tuple(part for part in details["loc"] if part != "[key]") + tuple(context.get("at", ()))
    kind = details["type"]
    rule = _unknown_key(model, path) if kind == "extra_forbidden" else _rule(kind, context, details["msg"])
    got = context.get("got") or shown(_NOTHING if kind == "missing" else details["input"], secret=_is_secret(path))
    at_key = kind in {"missing", "extra_forbidden"} or "[key]" in details["loc"]
    if kind == "extra_forbidden":
        got = shown(path[-1])
    return Fault(path=path, rule=rule, got=got, at_key=at_key)


_RULES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "rule": lambda context: str(context["rule"]),
    "missing": lambda _: "required",
    "string_type": lambda _: "expected a text in quotes",
    "string_too_short": lambda _: "expected a text that is not empty",
    "int_type": lambda _: "expected a whole number",
    "bool_type": lambda _: "expected true or false",
    "list_type": lambda _: "expected an array: […]",
    "dict_type": lambda _: "expected a table",
    "model_type": lambda _: "expected a table",
    "too_short": lambda context: f"expected at least {context['min_length']}",
    "greater_than_equal": lambda context: f"expected at least {context['ge']}",
    "less_than_equal": lambda context: f"expected at most {context['le']}",
    "enum": lambda context: f"expected {context['expected']}",
}


def _rule(kind: str, context: Mapping[str, Any], message: str) -> str:
    return _RULES[kind](context) if kind in _RULES else message


def _unknown_key(model: type[BaseModel], path: Path) -> str:
    known = _keys_at(model, path[:-1])
    close = get_close_matches(str(path[-1]), known, n=1)
    if close:
        return f"unknown key, did you mean '{close[0]}'?"
    around = [path[:depth] for depth in range(len(path) - 2, -1, -1)]
    for home in (*around, *((*path[:-1], table) for table in known)):
        if path[-1] in _keys_at(model, home):
            return f"unknown key here, it belongs {_in_table(home)}"
    return f"unknown key, expected {', '.join(known)}"


def _in_table(path: Path) -> str:
    return f"in [{'.'.join(map(str, path))}]" if path else "above the first [table]"


def _keys_at(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that the table at this path may have."""
    kind: Any = model
    for part in path:
        kind = _inside(kind, part)
    if not _is_model(kind):
        return []
    return [field.alias or name for name, field in kind.model_fields.items()]


def _inside(kind: Any, part: str | int) -> Any:
    """The type of what stands at `part` in a value of type `kind`."""
    if _is_model(kind):
        fields = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
        return fields.get(str(part))
    # dict[Name, Table] and list[Table]: the last argument is what is inside.
    return get_args(kind)[-1] if get_args(kind) else None


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _is_secret(path: Path) -> bool:
    return bool(path) and path[-1] == "password"


def shown(value: object, *, secret: bool = False) -> str:
    """A value as a fault may show it: short, on one line, and without anybody's password."""
    if value is _NOTHING:
        return "nothing"
    if secret:
        return "…"
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "an array"
    text = json.dumps(_without_password(value) if isinstance(value, str) else value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_GOT else text[: _LONGEST_GOT - 1] + "…"


def _without_password(text: str) -> str:
    """A URL without what may be a password: where it could not be read, all but its scheme may be one."""
    scheme, mark, rest = text.partition("://")
    if not mark or scheme == "sqlite" or (scheme in {"http", "https"} and "@" not in rest):
        return text
    if re.fullmatch(r"[A-Za-z0-9.\[\]-]+(:\d+)?/?", rest.rpartition("@")[2]) and "@" in rest:
        return f"{scheme}://…@{rest.rpartition('@')[2]}"
    return text if re.fullmatch(r"[A-Za-z0-9.\[\]-]*(:\d+)?/?", rest) else f"{scheme}://…"
