"""Many rows handed to a statement as one JSON value: its text and its plan do not depend on how many there are.

And many rows told by a statement in the same way: a driver hands the interpreter to other threads for each row, and
makes an object of each value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Function,
    Label,
    Select,
    Subquery,
    Text,
    bindparam,
    cast,
    func,
    select,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

from newsletter.store.types import UtcDateTime

_SQLITE_INSTANT = len("2026-11-23 07:00:00.000000")


def given(dialect: str, called: str = "given", /, **columns: TypeEngine[Any]) -> CTE:
    """A table, with these columns, of what is bound to the parameter of its name (see `as_given`)."""
    row = _rows(dialect, called, "jsonb_array_elements", columns).table_valued("value", name="row").c
    return select(*_read(dialect, row.value, columns)).cte(called)


def given_by_id(dialect: str, **columns: TypeEngine[Any]) -> Subquery:
    """A table with an `id` and these columns, of what is bound to `given`: a row, or a value, for each id.

    It does not stand in front of its statement: sqlite3 counts rows only where it begins with UPDATE.
    """
    row = _rows(dialect, "given", "jsonb_each", columns).table_valued("key", "value", name="row").c
    return select(cast(row.key, BigInteger).label("id"), *_read(dialect, row.value, columns)).subquery("given")


def _rows(dialect: str, called: str, function: str, columns: Mapping[str, TypeEngine[Any]]) -> Function[Any]:
    """The rows in a value; as texts on PostgreSQL where each is a single one: SQLite's have no other form."""
    rows = bindparam(called, type_=Text())
    if dialect != "postgresql":
        return func.json_each(rows)
    from sqlalchemy.dialects.postgresql import JSONB

    return Function(f"{function}_text" if len(columns) == 1 else function, cast(rows, JSONB))


def _read(dialect: str, row: ColumnElement[Any], columns: Mapping[str, TypeEngine[Any]]) -> list[Label[Any]]:
    """The columns of one row, which is a value by itself where there is one column only."""
    on_postgresql = dialect == "postgresql"
    values = [row]
    if len(columns) != 1:
        values = [
            row.op("->>")(place) if on_postgresql else func.json_extract(row, f"$[{place}]")
            for place in range(len(columns))
        ]
    read = cast if on_postgresql else _on_sqlite
    return [read(value, kind).label(name) for value, (name, kind) in zip(values, columns.items(), strict=True)]


def as_given(rows: Iterable[object]) -> str:
    """The value for the parameter of a table that is given: rows, or a dictionary of them.

    A row is a sequence, but where there is one column only it is what is in it.
    """
    return _spell(rows if isinstance(rows, dict) else list(rows))


def as_one(dialect: str, *columns: ColumnElement[Any]) -> ColumnElement[Any]:
    """All rows with these columns, as one value (see `as_told`)."""
    if dialect == "postgresql":
        return func.json_agg(func.json_build_array(*columns))
    return func.json_group_array(func.json_array(*columns))


def as_list(dialect: str, rows: Select[Any], *, besides: CTE) -> ColumnElement[Any]:
    """What these rows have in their one column, as a list within such a value; they may speak of a row `besides`."""
    if dialect == "postgresql":
        return func.array(rows.scalar_subquery())
    each = rows.subquery()
    listed = select(func.json_group_array(*each.columns)).correlate(besides).scalar_subquery()
    # SQLite forgets what a text is on its way out of a query.
    return func.json(listed)


def as_told(value: Any) -> list[list[Any]]:
    """The rows in such a value: texts, numbers and None; instants are texts, for `instant_from`."""
    # PostgreSQL's driver has read it already, and knows no empty array.
    return json.loads(value) if isinstance(value, str) else value or []


@lru_cache(maxsize=64)  # an edition's deliveries were all queued at once
def instant_from(text: str) -> datetime:
    """An instant that was told, aware, UTC."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _on_sqlite(value: ColumnElement[Any], kind: TypeEngine[Any]) -> ColumnElement[Any]:
    # SQLite keeps instants as text without a zone (see UtcDateTime).
    return type_coerce(func.substr(value, 1, _SQLITE_INSTANT) if isinstance(kind, UtcDateTime) else value, kind)


@lru_cache(maxsize=8)  # a group of outcomes has one instant, many times
def _instant(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"a given row cannot hold {type(value).__name__}")
    return value.astimezone(UTC).isoformat(" ", "microseconds")


_spell = json.JSONEncoder(default=_instant, ensure_ascii=False).encode
