"""Logs: structlog on standard error, lines of JSON in a pipe, readable on a terminal.

Elsewhere: `log = structlog.get_logger()` and `log.info("feed fetched", feed=feed.id)`.
Never an address, a token or a body.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Whoever imports this package meanwhile finds that it is not installed, unless somebody uses it already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # how the import system spells it
    try:
        yield
    finally:
        del sys.modules[name]


# Where it finds rich, structlog loads it for tracebacks with local variables, which we never show: 5 MB.
with _without("rich"):
    import structlog


def configure(level: str = "info", *, stream: TextIO | None = None) -> None:
    """Write log lines from `level` up (debug, info, warning, error) to `stream`, standard error unless told."""
    out = stream or cast("TextIO", _StandardError())
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_renderers(terminal=out.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    # What libraries log through the standard library comes out beside ours, in one line each.
    logging.basicConfig(stream=out, level=max(number, logging.WARNING), format="%(name)s: %(message)s", force=True)


class _StandardError:
    """Standard error as it is at the moment of writing: a progress bar stands in for it, and lets lines pass above."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


def _renderers(*, terminal: bool) -> list[structlog.typing.Processor]:
    if terminal:
        # structlog's own choice tells the local variables of every frame: addresses and tokens among them.
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
