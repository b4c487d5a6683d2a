"""A feed's habits as the one text that their column keeps. What is empty is left out, what is unknown passed over."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from newsletter.model.feed import Announced, FeedHealth, Habits, Move

_spell = json.JSONEncoder().encode


def habits_text(health: FeedHealth) -> str | None:
    """The habits of a feed and the origin of its validators, or None where there is nothing to keep."""
    habits, origin = health.habits, health.validators.origin
    told: dict[str, object] = {"origin": origin} if origin else {}
    for name in _READ:
        if value := getattr(habits, name):
            told[name] = _plain(value)
    return _spell(told) if told else None


def habits_from(told: Mapping[str, Any]) -> Habits:
    """The habits in what the column told."""
    return Habits(**{name: _READ[name](value) for name, value in told.items() if name in _READ})


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Move):
        return {
            "to": value.to,
            "since_at": value.since_at.isoformat(),
            "last_at": value.last_at.isoformat(),
            "times": value.times,
            "followed": value.followed,
        }
    if isinstance(value, Announced):
        return {"hub": value.hub, "topic": value.topic}
    return value


def _move(told: Mapping[str, Any]) -> Move:
    return Move(
        to=told["to"],
        since_at=datetime.fromisoformat(told["since_at"]),
        last_at=datetime.fromisoformat(told["last_at"]),
        times=told["times"],
        followed=told["followed"],
    )


def _seconds(told: float) -> timedelta:
    return timedelta(seconds=told)


_READ: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "skip_hours": frozenset,
        "skip_days": frozenset,
        "lasts": _seconds,
        "window": int,
        "pace": _seconds,
        "news_at": datetime.fromisoformat,
        "slowed": int,
        "gap_at": datetime.fromisoformat,
        "move": _move,
        "hub": lambda told: Announced(**told),
        "unpushed_at": datetime.fromisoformat,
    }
)
"""How each of the habits is read."""
