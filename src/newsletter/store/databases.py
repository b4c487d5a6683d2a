"""SQLAlchemy engines set up the way we need them, for SQLite and for PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from datetime import timedelta
from errno import EACCES
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from newsletter.errors import StoreError

PATIENCE = timedelta(seconds=30)
"""How long anybody waits for a lock before giving up with a sentence."""

BEGIN = "newsletter_begin"
"""The execution option that carries SQLite's BEGIN statement; empty for none."""
BEGIN_TO_WRITE = "BEGIN IMMEDIATE"

_SHORTEST_WAIT_SECONDS = 0.001
_LONGEST_WAIT_SECONDS = 0.02
_RESULT_CODE = 0xFF
"""The part of SQLite's error codes that is not about details."""

# One connection a thread: asyncio's threads are at most 32, and few of them are in the database at once.
# What was used last is used next: its cache is warm, and those that are not needed have none.
_POOL: dict[str, Any] = {
    "pool_size": 8,
    "max_overflow": 24,
    "pool_timeout": PATIENCE.total_seconds(),
    "pool_use_lifo": True,
}

_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # who is erased is gone from the file, whatever SQLite was built with
    "PRAGMA synchronous = FULL",  # a commit survives a power cut: promise 1 rests on it
    "PRAGMA cache_size = -8000",  # KiB, for each connection
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 67108864",  # what a large import left behind is given back
)
# No mmap: a read error would then be a signal that kills the program instead of an error it can report.


def parse_url(text: str, *, site_dir: Path) -> URL:
    """The URL with its driver named and, for SQLite, its path made absolute from the site folder.

    StoreError for anything but `sqlite:///FILE` and `postgresql://…`.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as exc:
        raise StoreError("[store] url: expected sqlite:///FILE or postgresql://USER@HOST/DATABASE") from exc
    kind = url.drivername.partition("+")[0]
    if kind in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if kind == "sqlite" and url.database and url.database != ":memory:":
        return url.set(drivername="sqlite", database=str(site_dir.absolute() / url.database))
    raise StoreError(
        f"[store] url: expected sqlite:///FILE or postgresql://USER@HOST/DATABASE, got {kind}:// without these"
    )


def engine_for(url: URL, *, patience: timedelta = PATIENCE, **options: Any) -> Engine:
    """An engine for a URL from `parse_url`. Nothing is connected yet; a SQLite file and its folder are made."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, patience=patience, **options)
    return _postgresql(url, patience=patience, **options)


def _sqlite(url: URL, *, patience: timedelta, **options: Any) -> Engine:
    _make_file(Path(url.database or ""))
    pool = {} if "poolclass" in options else _POOL
    engine = create_engine(
        url, hide_parameters=True, connect_args={"timeout": patience.total_seconds()}, **pool, **options
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", lambda connection: _begin_sqlite(connection, patience=patience))
    return engine


def _make_file(path: Path) -> None:
    """SQLite gives its journals the rights of the file, so they are right from the start.

    A file that is there is not touched: closing any descriptor of it takes away the locks that connections of this
    process hold (fcntl(2)), and the next one to close would throw away a journal that is still in use.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as exc:
        raise _not_made(path, exc) from exc


def check_file(path: Path) -> None:
    """StoreError if a file could not be made or written to, with others beside it. Nothing is left behind."""
    there = next(folder for folder in path.parents if os.path.lexists(folder))
    try:
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))
        # Whether there is a right, a disk that takes something and room on it, only trying tells.
        TemporaryFile(dir=there).close()
    except OSError as exc:
        raise _not_made(path, exc) from exc


def _not_made(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path}: cannot be created or opened: {error.strerror}")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # From here on only _begin_sqlite begins transactions; sqlite3 would do it late and always DEFERRED.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection, *, patience: timedelta) -> None:
    begin = connection.get_execution_options().get(BEGIN, "BEGIN DEFERRED")
    if begin == BEGIN_TO_WRITE:
        _begin_to_write(connection, patience=patience)
    elif begin:
        connection.exec_driver_sql(begin)


def _begin_to_write(connection: Connection, *, patience: timedelta) -> None:
    """Begin as soon as other programs let us.

    SQLite's own waiting asks ever more seldom, at last every tenth of a second: where another program commits hundreds
    of times a second, each ask meets one of these by chance, and who leaves waits for luck. We ask after a millisecond,
    and later after a tenth of what we have waited.
    """
    driver = connection.connection.dbapi_connection
    assert driver is not None
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        began = time.monotonic()
        while (waited := time.monotonic() - began) < patience.total_seconds():
            try:
                driver.execute(BEGIN_TO_WRITE)
            except sqlite3.OperationalError as refusal:
                if refusal.sqlite_errorcode & _RESULT_CODE != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(min(_SHORTEST_WAIT_SECONDS + waited / 10, _LONGEST_WAIT_SECONDS))
            else:
                return
        connection.exec_driver_sql(BEGIN_TO_WRITE)  # whose error is SQLAlchemy's, as all others are
    finally:
        driver.execute(f"PRAGMA busy_timeout = {int(patience.total_seconds() * 1000)}")


def _postgresql(url: URL, *, patience: timedelta, **options: Any) -> Engine:
    milliseconds = int(patience.total_seconds() * 1000)
    arguments: dict[str, Any] = {
        "connect_timeout": 10,
        "application_name": "newsletter",
        # Who is frozen in mid-transaction, as a machine is that is moved, lets go of its locks before others give up.
        "options": f"-c lock_timeout={milliseconds} -c idle_in_transaction_session_timeout={milliseconds // 2}",
    }
    pool = {} if "poolclass" in options else _POOL | {"pool_pre_ping": True}
    try:
        return create_engine(
            url,
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            connect_args={name: value for name, value in arguments.items() if name not in url.query},
            **pool,
            **options,
        )
    except ModuleNotFoundError as exc:
        raise StoreError('PostgreSQL needs psycopg: pip install "newsletter[postgres]"') from exc
