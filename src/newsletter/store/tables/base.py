"""What all tables have in common: how a class with annotated columns becomes a table.

It is SQLAlchemy's declarative spelling, and to a type checker that is what it is. At run time no ORM is loaded for it:
our statements are sets of rows, and mappers would take ten megabytes of every process, and time of every statement.
"""

from __future__ import annotations

import inspect
from datetime import datetime
from enum import StrEnum
from types import NoneType
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from sqlalchemy import Boolean, Column, Double, Index, Integer, LargeBinary, MetaData, String, Table, text
from sqlalchemy.types import TypeEngine

from newsletter.store.types import UtcDateTime, state_type

__all__ = ["Base", "Mapped", "aliased", "mapped_column", "partial_index"]

# Names every constraint, so that migrations can speak of them on both databases.
_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

if TYPE_CHECKING:
    from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column

    class Base(DeclarativeBase):
        """A table's row."""

        metadata: ClassVar[MetaData]
else:
    mapped_column = Column

    class Mapped:
        """What an annotation of a column says of its values: `Mapped[str | None]`."""

        def __class_getitem__(cls, values: object) -> object:
            return values

    class Base:
        """A table's row. The class itself stands for the table in statements, its attributes for the columns."""

        metadata = MetaData(naming_convention=_NAMES)

        def __init_subclass__(cls) -> None:
            described = {name: kind for each in cls.__mro__ for name, kind in _described(each).items()}
            columns = [_column(cls, name, kind) for name, kind in described.items()]
            arguments = getattr(cls, "__table_args__", ())
            options = arguments[-1] if arguments and isinstance(arguments[-1], dict) else {}
            told = [each for each in arguments if each is not options]
            cls.__table__ = Table(cls.__tablename__, cls.metadata, *columns, *told, **options)

        @classmethod
        def __clause_element__(cls) -> Table:
            return cls.__table__

    class aliased:  # noqa: N801 SQLAlchemy's own is a function
        """A table once more, under another name."""

        def __init__(self, row: type[Base]) -> None:
            self._alias = row.__table__.alias()

        def __getattr__(self, name: str) -> Column[Any]:
            if name in self._alias.c:
                return self._alias.c[name]
            raise AttributeError(name)

        def __clause_element__(self) -> Any:
            return self._alias


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of the rows for which `where` holds.

    PostgreSQL's has the same condition, by its migration: to be told of it here, SQLAlchemy would load that dialect.
    """
    return Index(name, *columns, unique=unique, sqlite_where=text(where))


def _described(row: type) -> dict[str, Any]:
    """The columns that a class itself describes: what values each has."""
    return {} if row.__module__ in {__name__, "builtins"} else inspect.get_annotations(row, eval_str=True)


def _column(table: type, name: str, values: Any) -> Column[Any]:
    """The column that an annotation describes, and the call beside it where there is one.

    Of what several tables share, each has a copy.
    """
    described = getattr(table, name, None)
    column: Column[Any] = Column() if described is None else described._copy()  # noqa: SLF001 as declarative does
    setattr(table, name, column)
    kinds = [kind for kind in get_args(values) or (values,) if kind is not NoneType]
    column.name = column.key = name
    column.nullable = len(kinds) < len(get_args(values))
    if column.type._isnull and not column.foreign_keys:  # noqa: SLF001 as there
        column.type = _type_of(kinds[0])
    return column


_TYPES: dict[type, TypeEngine[Any]] = {
    bool: Boolean(),
    bytes: LargeBinary(),
    datetime: UtcDateTime(),
    float: Double(),
    int: Integer(),
    str: String(),
}


def _type_of(kind: type) -> TypeEngine[Any]:
    return state_type(kind) if issubclass(kind, StrEnum) else _TYPES[kind]
