"""A feed's habits as the one text that their column keeps. What is empty is left out, what is unknown passed over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from newsletter.model.feed import Announced, FeedHealth, Habits, Move


def habits_text(health: FeedHealth) -> str | None:
    """The habits of a feed and the origin of its validators, or None where there is nothing to keep."""
    habits, move = health.habits, health.habits.move
    told = {
        "origin": health.validators.origin,
        "skip_hours": sorted(habits.skip_hours),
        "skip_days": sorted(habits.skip_days),
        "lasts": _seconds(habits.lasts),
        "window": habits.window,
        "pace": _seconds(habits.pace),
        "news_at": _text(habits.news_at),
        "slowed": habits.slowed,
        "gap_at": _text(habits.gap_at),
        "move": move
        and {
            "to": move.to,
            "since_at": _text(move.since_at),
            "last_at": _text(move.last_at),
            "times": move.times,
            "followed": move.followed,
        },
        "hub": habits.hub and {"hub": habits.hub.hub, "topic": habits.hub.topic},
        "unpushed_at": _text(habits.unpushed_at),
    }
    kept = {name: value for name, value in told.items() if value}
    return json.dumps(kept) if kept else None


def habits_from(told: Mapping[str, Any]) -> Habits:
    """The habits in what the column told."""
    return Habits(
        skip_hours=frozenset(told.get("skip_hours", ())),
        skip_days=frozenset(told.get("skip_days", ())),
        lasts=_duration(told.get("lasts")),
        window=told.get("window", 0),
        pace=_duration(told.get("pace")),
        news_at=_instant(told.get("news_at")),
        slowed=told.get("slowed", 0),
        gap_at=_instant(told.get("gap_at")),
        move=_move(told["move"]) if "move" in told else None,
        hub=Announced(**told["hub"]) if "hub" in told else None,
        unpushed_at=_instant(told.get("unpushed_at")),
    )


def _move(told: Mapping[str, Any]) -> Move:
    return Move(
        to=told["to"],
        since_at=datetime.fromisoformat(told["since_at"]),
        last_at=datetime.fromisoformat(told["last_at"]),
        times=told["times"],
        followed=told["followed"],
    )


def _seconds(duration: timedelta | None) -> float | None:
    return duration.total_seconds() if duration else None


def _duration(seconds: float | None) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds else None


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
