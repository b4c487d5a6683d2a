"""A table of allowed state changes, and the one check that uses it."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from newsletter.errors import MoveError

S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Moves(Generic[S]):
    """Which states may follow which. A state that is no key is final."""

    noun: str
    table: Mapping[S, AbstractSet[S]]

    def check(self, before: S, after: S) -> S:
        """`after`, or MoveError if the table does not lead there from `before`."""
        if after not in self.table.get(before, frozenset()):
            raise MoveError(self.noun, before, after)
        return after

    def before(self, after: S) -> tuple[S, ...]:
        """The states from which `after` may be reached, in the table's order (for a WHERE clause)."""
        return tuple(state for state, nexts in self.table.items() if after in nexts)
