"""Bringing a database up to date when it is opened, and saying what stands in the way.

At head this costs two small queries and Alembic is not imported.
"""

from __future__ import annotations

import time
from pathlib import Path

import structlog
from sqlalchemy import URL, Connection, Engine, NullPool, func, inspect, select, text
from sqlalchemy.exc import OperationalError

from newsletter.errors import StoreError
from newsletter.store.databases import BEGIN, BEGIN_TO_WRITE, PATIENCE, check_file, engine_for, parse_url
from newsletter.store.migrations import HEAD, OLDEST, REVISIONS
from newsletter.store.refusals import code_of, spoken
from newsletter.store.statements import insert_into
from newsletter.store.tables import FactRow

log = structlog.get_logger()

_OLDEST = "oldest program that can use this schema"
_MIGRATION_LOCK = 7_310_002  # any number but the store's other one


def schema_state(url: str, *, site_dir: Path) -> str | None:
    """Why this program cannot use the database at `url`, or None.

    None also for one that can be made, or is older than the program: opening makes it or brings it up to date.
    Nothing is created or changed.
    """
    try:
        parsed = parse_url(url, site_dir=site_dir)
        where = parsed.render_as_string(hide_password=True)
        if parsed.get_backend_name() == "sqlite":
            check_file(Path(parsed.database or ""))
            if not Path(parsed.database or "").exists():
                return None
        engine = engine_for(parsed, poolclass=NullPool)
        with spoken(where), engine.connect() as connection:
            _is_current(connection, where=where)
    except StoreError as exc:
        return str(exc)
    return None


def bring_up_to_date(engine: Engine, *, url: URL, where: str) -> None:
    """Run the migrations that are missing, if any. Safe when several programs start together."""
    if engine.dialect.name == "sqlite":
        _use_wal(engine)
    with engine.connect() as connection:
        if _is_current(connection, where=where):
            return
    _migrate(url, where=where)


def _is_current(connection: Connection, *, where: str) -> bool:
    """Whether there is nothing to migrate. StoreError if a newer program made it and this one cannot use it."""
    revision = _revision(connection)
    if revision is None or revision in REVISIONS:
        return revision == HEAD
    if not _is_for_older(connection):
        raise StoreError(f"{where}: made by a newer program (schema {revision}, ours is {HEAD}): update this one")
    # Programs are updated one after the other: until all are, the older ones go on, and may be started again.
    log.warning("store was made by a newer program, and can be used", schema=revision, ours=HEAD)
    return True


def _is_for_older(connection: Connection) -> bool:
    """Whether the newer program that migrated it left all that we need."""
    oldest = connection.scalar(select(FactRow.value).where(FactRow.name == _OLDEST))
    return oldest is not None and oldest <= HEAD


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _use_wal(engine: Engine) -> None:
    """Switch the file to a write-ahead log, which it keeps."""
    unbegun = engine.execution_options(**{BEGIN: ""})  # the switch is not allowed inside a transaction
    give_up_at = time.monotonic() + PATIENCE.total_seconds()
    while True:
        try:
            with unbegun.connect() as connection:
                if connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal":
                    connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                return
        except OperationalError as exc:
            # SQLite does not wait here: of programs that start together one switches, the others see it done.
            if code_of(exc) != "SQLITE_BUSY" or time.monotonic() > give_up_at:
                raise
            time.sleep(0.01)


def _migrate(url: URL, *, where: str) -> None:
    """Upgrade to head in one transaction; whoever waited for its lock finds the work done."""
    from newsletter.store.migrations.run import upgrade  # noqa: PLC0415 Alembic is slow to import and rarely needed

    engine = engine_for(url, poolclass=NullPool).execution_options(**{BEGIN: BEGIN_TO_WRITE})
    with engine.begin() as connection:
        if engine.dialect.name != "sqlite":
            connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        if not _is_current(connection, where=where):
            upgrade(connection)
            told = insert_into(connection, FactRow).values(name=_OLDEST, value=OLDEST)
            connection.execute(told.on_conflict_do_update(index_elements=["name"], set_={"value": OLDEST}))
