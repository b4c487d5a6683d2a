"""The progress bar, apart from `output` so that only a terminal pays for importing rich."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_ASKED_EVERY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class RichBar:
    progress: Progress
    task: TaskID

    def advance(self, steps: int = 1) -> None:
        self.progress.advance(self.task, steps)

    def expect(self, total: int) -> None:
        self.progress.update(self.task, total=total)

    def note(self, text: str) -> None:
        self.progress.update(self.task, note=text)


class _Asked(ProgressColumn):
    """A text that is asked for now and then, in the thread of the display, so that the work waits for nobody."""

    def __init__(self, ask: Callable[[], str]) -> None:
        super().__init__()
        self._ask = ask
        self._asked_at = 0.0
        self._told = Text()

    def render(self, task: Task) -> Text:
        del task
        now = time.monotonic()
        if now - self._asked_at > _ASKED_EVERY_SECONDS:
            self._asked_at, self._told = now, Text(self._ask())
        return self._told


@contextmanager
def rich_bar(what: str, *, total: int | None, ask: Callable[[], str]) -> Iterator[RichBar]:
    """A bar on standard error that goes away when the work is done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        _Asked(ask),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield RichBar(progress, progress.add_task(what, total=total, note=""))
