"""Column types: aware instants, enums by value, and keys that count on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer
from sqlalchemy.types import TypeDecorator

# SQLite counts rows only in a column declared INTEGER; 64 bits either way.
Id = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant. Naive values are refused; what comes out is UTC on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """In UTC; SQLite keeps it without a zone, so that texts compare as instants do."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = f"an instant needs a time zone, got {value.isoformat()}"
            raise ValueError(msg)
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware, UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def by_value(kind: type[StrEnum]) -> list[str]:
    """What a StrEnum's members are stored as."""
    return [member.value for member in kind]


def state_type(kind: type[StrEnum], **options: Any) -> Enum:
    """A StrEnum stored as its value in a plain text column, so a new state needs no type migration."""
    return Enum(kind, native_enum=False, length=24, values_callable=by_value, **options)
