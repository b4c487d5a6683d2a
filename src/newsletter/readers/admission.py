"""Letting people in: one by one or by the file, on the terms they and the list agreed to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from itertools import islice
from typing import TypeVar

from newsletter.model.publication import MailingList
from newsletter.model.subscriber import Newcomer
from newsletter.readers.importing import BadRow
from newsletter.store.ports import Added, Subscribers

T = TypeVar("T")

_AT_ONCE = 5000
_KEPT_BAD_ROWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How people consented: elsewhere, as `source` says, if `confirmed`; else the list decides whether to ask them."""

    confirmed: bool
    source: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file. `added` counts subscriptions; `bad` has the first thousand of the `bad_rows`."""

    people: int = 0
    bad_rows: int = 0
    added: Added = field(default_factory=Added)
    bad: tuple[BadRow, ...] = ()


def admit(
    people: Subscribers, newcomers: Sequence[Newcomer], *, lists: Iterable[MailingList], terms: Terms, now: datetime
) -> Added:
    """Add people to their lists: active at once if confirmed or where the list does not ask, else pending."""
    asked = {each.id for each in lists if each.double_opt_in and not terms.confirmed}
    groups = {
        True: _with_lists(newcomers, lambda list_id: list_id not in asked),
        False: _with_lists(newcomers, lambda list_id: list_id in asked),
    }
    return _sum(
        people.add(group, confirmed=confirmed, source=terms.source, text=terms.text, now=now)
        for confirmed, group in groups.items()
        if group
    )


def admit_rows(
    rows: Iterable[Newcomer | BadRow],
    *,
    admit: Callable[[Sequence[Newcomer]], Added],
    on_rows: Callable[[int], object],
    on_bad: Callable[[BadRow], object],
) -> Imported:
    """Let in the people of a file, some thousand at a time, each batch for good before the next is read."""
    done = Imported()
    for batch in _ahead(_batches(iter(rows))):
        newcomers = [row for row in batch if isinstance(row, Newcomer)]
        bad = [row for row in batch if isinstance(row, BadRow)]
        for row in bad:
            on_bad(row)
        done = Imported(
            people=done.people + len(newcomers),
            bad_rows=done.bad_rows + len(bad),
            added=_sum((done.added, admit(newcomers))) if newcomers else done.added,
            bad=(*done.bad, *bad)[:_KEPT_BAD_ROWS],
        )
        on_rows(len(batch))
    return done


def _batches(rows: Iterator[Newcomer | BadRow]) -> Iterator[list[Newcomer | BadRow]]:
    while batch := list(islice(rows, _AT_ONCE)):
        yield batch


def _ahead(batches: Iterator[T]) -> Iterator[T]:
    """The same, each read while the one before it is being written: the database needs no Python meanwhile."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield batch


def _with_lists(newcomers: Sequence[Newcomer], wanted: Callable[[str], bool]) -> list[Newcomer]:
    """The newcomers with the lists that are wanted, without those who have none of them."""
    chosen = ((each, tuple(filter(wanted, each.lists))) for each in newcomers)
    return [each if lists == each.lists else replace(each, lists=lists) for each, lists in chosen if lists]


def _sum(counts: Iterable[Added]) -> Added:
    every = tuple(counts)
    return Added(**{each.name: sum(getattr(count, each.name) for count in every) for each in fields(Added)})
