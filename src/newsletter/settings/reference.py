"""docs/settings.md, made from the very tables that check the settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from newsletter.model.text import duration
from newsletter.settings.feedfile import FeedFile
from newsletter.settings.schema import ConfigFile

_HEAD = """\
# Settings

Made from `src/newsletter/settings/{schema,feedfile}.py` by `python -m newsletter.settings.reference`; do not edit.

A site is a folder with `config.toml` and a file for each partner feed, `feeds/NAME.toml`. Paths are relative to the
site's folder. Durations are written "30s", "90m", "6h", "365d", "2w" or "1h30m". `newsletter check` reports all faults
of all files at once, each with file, line and column.

## Secrets and variables

A password is better kept in a file (`password_file`, `url_file`, `key_file`) than in `config.toml`. Each key of
`[publication]`, `[store]`, `[collect]`, `[deliver]` and `[metrics]` can also be given as an environment variable named
`NEWSLETTER_SECTION_KEY`, for example `NEWSLETTER_STORE_URL`, and each key of a relay as `NEWSLETTER_RELAY_NAME_KEY`,
for example `NEWSLETTER_RELAY_MAIN_PASSWORD`. `NEWSLETTER_SITE_KEY` is the key that links are sealed with. A variable
wins over the files. No report, log or dump shows a secret.
"""


def settings_page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_file("config.toml", ConfigFile), *_file("feeds/NAME.toml", FeedFile)])


def _file(title: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"## {title}\n"
    yield from _table(model)
    yield from _tables_inside(model, path="")


def _tables_inside(model: type[BaseModel], *, path: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is None:
            continue
        origin = get_origin(field.annotation)
        here = f"{path}{field.alias or name}" + (".NAME" if origin is dict else "")
        yield f"### `{f'[[{here}]]' if origin is list else f'[{here}]'}`\n"
        yield f"{inner.__doc__}\n"
        yield from _table(inner)
        yield from _tables_inside(inner, path=f"{here}.")


def _table(model: type[BaseModel]) -> Iterator[str]:
    rows = [
        _row(field.alias or name, field)
        for name, field in model.model_fields.items()
        if not _model_in(field.annotation)
    ]
    if rows:
        yield "| key | type | default | meaning |"
        yield "|---|---|---|---|"
        yield from rows
        yield ""


def _row(key: str, field: FieldInfo) -> str:
    default = "required" if field.default is PydanticUndefined else _toml(field.default)
    return (
        f"| `{key}` | {_type(field.annotation)} | {default} | {(field.description or '').replace('|', chr(92) + '|')} |"
    )


def _type(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        return _type(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return _type(next(one for one in get_args(kind) if one is not NoneType))
    if get_origin(kind) is list:
        return "array of numbers" if _type(get_args(kind)[0]) == "number" else "array of texts"
    if get_origin(kind) is dict:
        return "table of texts"
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return ", ".join(f'"{choice}"' for choice in kind)
    return {int: "number", bool: "true, false", timedelta: "duration", date: "date"}.get(kind, "text")


def _toml(value: object) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, timedelta):
        return f'`"{duration(value)}"`'
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def _model_in(kind: Any) -> type[BaseModel] | None:
    """The table in `Table`, `list[Table]` or `dict[Name, Table]`."""
    inner = get_args(kind)[-1] if get_origin(kind) in (list, dict) else kind
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


if __name__ == "__main__":
    print(settings_page(), end="")  # noqa: T201 this is what it is for
