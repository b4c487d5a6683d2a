"""What databases say when they refuse, turned into a sentence an operator can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from newsletter.errors import ConflictError, StoreError

# Beginnings of SQLite's result names and of PostgreSQL's SQLSTATEs; the first that fits speaks.
_ADVICE = {
    "SQLITE_BUSY": "locked for too long by another program: end it, or try again",
    "SQLITE_FULL": "the disk is full: make room, then run the command again; nothing was lost",
    "SQLITE_READONLY": "not writable: give this user the right to write to the file and its folder",
    "SQLITE_CANTOPEN": "cannot be opened: look at the path and at the rights of its folder",
    "SQLITE_NOTADB": "is not a database: look at [store] url, or restore a backup",
    "SQLITE_CORRUPT": "is damaged: restore a backup",
    "SQLITE_IOERR": "cannot be read or written: look at the disk",
    "SQLITE_TOOBIG": "a value is too long to be stored",
    "08": "cannot be reached: is the server running, and are user, password, host and name in [store] url right?",
    "42501": "this user may not do that: grant it the rights to the database",
    "40": "two writers got in each other's way: run the command again; nothing was lost",
    "53100": "the disk is full: make room, then run the command again; nothing was lost",
    "53300": "too many connections: raise the server's max_connections or run fewer programs",
    "55P03": "locked for too long by another program: end it, or try again",
    "57": "the server is stopping or was stopped: run the command again when it is back",
    "22": "a value cannot be stored",
}


@contextmanager
def spoken(where: str) -> Iterator[None]:
    """Turn what the database refuses into StoreError (ConflictError for a constraint); `where` names the database.

    A constraint's own words may quote the row, which may hold an address: they are left out, and out of the cause.
    """
    try:
        yield
    except exc.IntegrityError as refusal:
        raise ConflictError(f"{where}: a row was refused ({_constraint(refusal)})") from None
    except exc.TimeoutError as refusal:
        raise StoreError(f"{where}: every connection is in use: run fewer things at once") from refusal
    except exc.DBAPIError as refusal:
        raise StoreError(f"{where}: {_advice(refusal)}") from refusal


def _constraint(refusal: exc.IntegrityError) -> str:
    diagnosis = getattr(refusal.orig, "diag", None)
    if diagnosis is not None:
        return str(diagnosis.constraint_name or diagnosis.column_name or "a constraint")
    return str(refusal.orig)


def _advice(refusal: exc.DBAPIError) -> str:
    code = code_of(refusal)
    said = str(refusal.orig).splitlines()[0] if str(refusal.orig) else type(refusal.orig).__name__
    for beginning, advice in _ADVICE.items():
        if code.startswith(beginning):
            return f"{advice} ({said})"
    return said


def code_of(refusal: exc.DBAPIError) -> str:
    """SQLite's result name or PostgreSQL's SQLSTATE; a connection that never came to be counts as class 08."""
    name = getattr(refusal.orig, "sqlite_errorname", None)
    if name is not None:
        return str(name)
    state = getattr(refusal.orig, "sqlstate", None)
    if state is None and isinstance(refusal, exc.OperationalError):
        return "08000"
    return str(state or "")
