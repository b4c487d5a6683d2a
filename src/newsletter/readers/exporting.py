"""Writing subscribers down, for people and for other programs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from newsletter.model.subscriber import Subscriber, Subscription

Exported = tuple[Subscriber, tuple[Subscription, ...]]

_COLUMNS = ("address", "name", "language", "list", "state", "since_at", "created_at")
# A spreadsheet takes a cell that begins so for a formula, and formulas can call out and run programs.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class _Sink(Protocol):
    def write(self, text: str, /) -> Any: ...


def field_names(people: Iterable[Exported]) -> tuple[str, ...]:
    """The names of all free fields that anybody has, sorted: the last columns of a CSV file."""
    return tuple(sorted({name for subscriber, _ in people for name, _ in subscriber.fields} - set(_COLUMNS)))


def write_csv(people: Iterable[Exported], *, fields: tuple[str, ...], to: _Sink) -> int:
    """A header line and a row for each subscription (one for who has none); returns the number of people."""
    writer = csv.writer(to)
    writer.writerow((*_COLUMNS, *map(guarded, fields)))
    count = 0
    for subscriber, subscriptions in people:
        count += 1
        values = dict(subscriber.fields)
        extra = [values.get(name, "") for name in fields]
        for on_list in _on_lists(subscriptions):
            cells = (subscriber.address, subscriber.name, subscriber.language or "", *on_list)
            writer.writerow([guarded(cell) for cell in (*cells, subscriber.created_at.isoformat(), *extra)])
    return count


def _on_lists(subscriptions: tuple[Subscription, ...]) -> Iterator[tuple[str, str, str]]:
    if not subscriptions:
        yield "", "", ""
    for each in subscriptions:
        yield each.list_id, each.state, each.since_at.isoformat()


def as_document(subscriber: Subscriber, subscriptions: tuple[Subscription, ...]) -> dict[str, Any]:
    """One person as JSON has them."""
    return {
        "address": subscriber.address,
        "name": subscriber.name,
        "language": subscriber.language,
        "fields": dict(subscriber.fields),
        "created_at": subscriber.created_at,
        "subscriptions": [
            {"list": each.list_id, "state": each.state, "since_at": each.since_at} for each in subscriptions
        ],
    }


def guarded(cell: str) -> str:
    """The cell as a spreadsheet shows it rather than runs it: with an apostrophe before what begins like a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def unguarded(cell: str) -> str:
    """A guarded cell as it was."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
