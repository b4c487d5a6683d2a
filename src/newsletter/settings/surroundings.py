"""What a value in the settings may refer to; handed to every validator."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationInfo


class Surroundings(NamedTuple):
    """The site's folder, and the names that there are."""

    folder: Path
    feeds: frozenset[str] | None
    """None while they are still to come: then no digest has to name one that is there."""
    lists: frozenset[str]


def around(info: ValidationInfo) -> Surroundings:
    """The surroundings that the whole validation was given."""
    assert isinstance(info.context, Surroundings)
    return info.context
