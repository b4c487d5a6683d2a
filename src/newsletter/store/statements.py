"""Small helpers for statements that run on both databases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite

from newsletter.store.tables import Base

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")

CHUNK = 1000
"""Values in one IN, rows in one INSERT: far below what the databases take (SQLite 32,766 parameters)."""


def insert_into(connection: Connection, table: type[Base]) -> postgresql.Insert:
    """An INSERT that knows ON CONFLICT, which both dialects spell alike but SQLAlchemy's own insert() lacks."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: type[Base]) -> postgresql.Insert:
    """The same, for a statement that is made before there is a connection."""
    if dialect == "sqlite":
        return sqlite.insert(table)  # type: ignore[return-value]  # the same methods, no common class
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[tuple[T, ...]]:
    """`values` in order, `size` at a time."""
    rest = iter(values)
    while chunk := tuple(islice(rest, size)):
        yield chunk
