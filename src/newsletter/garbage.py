"""The interpreter's search for garbage, which only finds what refers to itself in a circle."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class _Spells:
    """How many want it seldom at the moment, and how it was before the first of them."""

    running: int = 0
    before: tuple[int, int, int] = (0, 0, 0)


_spells = _Spells()


@contextmanager
def sought_seldom(*, objects: int) -> Iterator[None]:
    """Within it, what is there already is not looked through, and new things only after so many `objects`.

    For work that makes much and hardly ever a circle: each look would find nothing. Of several such works at once, the
    last to end puts back what was before the first.
    """
    if not _spells.running:
        _spells.before = gc.get_threshold()
    _spells.running += 1
    gc.freeze()
    gc.set_threshold(max(objects, gc.get_threshold()[0]), 20, 20)
    try:
        yield
    finally:
        _spells.running -= 1
        if not _spells.running:
            gc.set_threshold(*_spells.before)
            gc.unfreeze()
