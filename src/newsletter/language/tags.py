"""What a language tag means for a page: its direction, and how a date is written in it."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from newsletter.model.item import Direction


@lru_cache(maxsize=64)
def locale_of(tag: str) -> Locale:
    """The nearest locale to a BCP 47 tag; English for one that nobody knows, so a typing error stops no edition."""
    for candidate in (tag, tag.split("-", 1)[0]):
        try:
            return Locale.parse(candidate, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def direction_of(tag: str) -> Direction:
    """The writing direction of a language."""
    return Direction(locale_of(tag).text_direction)


def written_date(day: date, *, language: str, form: str = "full") -> str:
    """A date in words. `form` is babel's: full, long, medium, short, or a pattern such as `d MMMM`."""
    return format_date(day, format=form, locale=locale_of(language))
