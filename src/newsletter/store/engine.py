"""The store: an open database, and the two ways to speak to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Self

from sqlalchemy import URL, Connection, Engine, func, select

from newsletter.errors import StoreError
from newsletter.store import schema
from newsletter.store.databases import BEGIN, BEGIN_TO_WRITE, PATIENCE, engine_for, parse_url
from newsletter.store.refusals import spoken

# Any numbers, the same in every program that shares the database.
_SERIAL_LOCK = 7_310_001
_FREEZING_LOCK = 7_310_003

_CHECKPOINT_PAGES = 1000
"""SQLite's own measure of how full its journal may be at the end of a commit."""
_OTHERS_TURN_SECONDS = 0.005
"""Longer than whoever waits for a turn takes to ask again (see databases)."""


class Store:
    """An open database, for any number of threads.

    It hands out Connections, not Sessions: our statements are sets of rows, so an identity map and a flush order would
    cost and surprise without being of use.
    """

    def __init__(self, engine: Engine, *, url: URL, patience: timedelta = PATIENCE) -> None:
        self.where = url.render_as_string(hide_password=True)
        """The database's name for people; without its password."""
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self._engine = engine
        self._patience = patience
        self._reader = _reader(engine, is_sqlite=self.is_sqlite)
        self._writer = engine.execution_options(**{BEGIN: BEGIN_TO_WRITE})
        # SQLite has one writer at a time and lets the others sleep and ask again; within a process we queue.
        self._turn = threading.Lock() if self.is_sqlite else None
        self._behind = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._copying: Future[None] | None = None

    @classmethod
    def open(cls, url: str, *, site_dir: Path, patience: timedelta = PATIENCE) -> Self:
        """Open the database at `url`, made and brought up to date where needed.

        A relative SQLite path starts at `site_dir`. `patience` is for locks of other programs. StoreError if it cannot
        be reached or is newer than this program.
        """
        parsed = parse_url(url, site_dir=site_dir)
        engine = engine_for(parsed, patience=patience)
        store = cls(engine, url=parsed, patience=patience)
        try:
            with spoken(store.where):
                schema.bring_up_to_date(engine, url=parsed, where=store.where)
        except BaseException:
            engine.dispose()
            raise
        return store

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one moment of the database, however many statements it runs."""
        with spoken(self.where), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self, *, serial: bool = False) -> Iterator[Connection]:
        """A connection whose statements are committed together at the end, or not at all if the block raises.

        SQLite has one writer at a time. PostgreSQL has many, at READ COMMITTED: what they must not do to
        each other is for constraints, guarded updates and row locks; `serial` makes writers that ask for it queue.
        """
        with self._turn_taken(), spoken(self.where), self._writer.begin() as connection:
            if serial and not self.is_sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(_SERIAL_LOCK)))
            yield connection

    @contextmanager
    def write_much(self) -> Iterator[Connection]:
        """As `write`, for what fills SQLite's journal.

        A commit that did so would copy all of it into the file before it returns. Here a thread does, behind it: what
        is in the journal is durable.
        """
        if not self.is_sqlite:
            with self.write() as connection:
                yield connection
            return
        with self._turn_taken(), spoken(self.where), self._writer.connect() as connection:
            with _unbothered(connection), connection.begin():
                yield connection
            self._copying = self._behind.submit(self._checkpoint)

    def give_way(self) -> None:
        """Let others have SQLite's one turn for a moment, after a large commit (`write_much`) and before the next.

        Meanwhile what is in the journal goes into the file: one that grew on would fall to whoever commits next.
        """
        if self._copying is not None:
            wait([self._copying])
            time.sleep(_OTHERS_TURN_SECONDS)

    def _checkpoint(self) -> None:
        """What is in the journal by now; if that fails, the next large commit tries again."""
        with self._engine.execution_options(**{BEGIN: ""}).connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def freeze_alone(self, connection: Connection) -> None:
        """Keep others from freezing until this transaction ends, and nobody from anything else: it may take a while."""
        if not self.is_sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(_FREEZING_LOCK)))

    def overwrite_deleted(self) -> None:
        """Bring what was deleted out of SQLite's journal too: in the file itself it is overwritten as it goes.

        While somebody reads, the journal keeps its old pages; its next checkpoint takes them. On a database server,
        dead rows go with its next VACUUM.
        """
        if not self.is_sqlite:
            return
        outside = self._engine.execution_options(**{BEGIN: ""})
        with self._turn_taken(), spoken(self.where), outside.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _turn_taken(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        # Longer than for the database: whoever has the turn and waits for another program tells of that first.
        if not self._turn.acquire(timeout=2 * self._patience.total_seconds()):
            raise StoreError(f"{self.where}: another thread of this program is writing for too long: try again")
        try:
            yield
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close every connection. The store may not be used again."""
        self._behind.shutdown()
        # No PRAGMA optimize: without statistics SQLite's plans are always those that we looked at.
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _unbothered(connection: Connection) -> Iterator[None]:
    """Within it SQLite's connection copies nothing from its journal into the file."""
    driver = connection.connection.dbapi_connection
    assert driver is not None
    driver.execute("PRAGMA wal_autocheckpoint = 0")
    try:
        yield
    finally:
        driver.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")


def _reader(engine: Engine, *, is_sqlite: bool) -> Engine:
    if is_sqlite:
        return engine.execution_options(**{BEGIN: "BEGIN DEFERRED"})
    # What a SQLite reader has by itself: one snapshot for all its statements.
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
