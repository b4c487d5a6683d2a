"""Which editions stand in which document of a feed (RFC 5005 section 4, archived feeds).

A document of the past holds ten numbers of a list and is complete, so that it need never be asked for again; the one
people subscribe to holds the newest ten, whatever their numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

_EDITIONS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Edition numbers `first` to `last`. `number` is None for the newest; `previous` is older and `following` newer."""

    number: int | None
    first: int
    last: int
    previous: int | None
    following: int | None = None


def newest_page(newest: int) -> Page:
    """The document that people subscribe to; `newest` is the highest number published, 0 if there is none."""
    first = max(1, newest - _EDITIONS + 1)
    return Page(number=None, first=first, last=newest, previous=newest // _EDITIONS if first > 1 else None)


def past_page(number: int, *, newest: int) -> Page | None:
    """A document of the past, counted from 1; None if it is not complete yet."""
    complete = newest // _EDITIONS
    if not 1 <= number <= complete:
        return None
    return Page(
        number=number,
        first=(number - 1) * _EDITIONS + 1,
        last=number * _EDITIONS,
        previous=number - 1 or None,
        following=number + 1 if number < complete else None,
    )
