import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from newsletter.errors import ConflictError, StoreError
from newsletter.store.databases import PATIENCE
from newsletter.store.engine import Store
from newsletter.store.tables import FactRow
from tests.made import made_store


def _facts(store: Store) -> list[str]:
    """What `_add` wrote: the store has facts of its own."""
    with store.read() as connection:
        return list(connection.scalars(select(FactRow.name).where(FactRow.value == "").order_by(FactRow.name)))


def _add(store: Store, *names: str) -> None:
    with store.write() as connection:
        for name in names:
            connection.execute(insert(FactRow).values(name=name, value=""))


def _add_and_wait_for(store: Store, name: str, others: Callable[[], None]) -> None:
    with store.write() as connection:
        connection.execute(insert(FactRow).values(name=name, value=""))
        others()


def test_what_is_written_can_be_read(store: Store) -> None:
    _add(store, "one", "two")
    assert _facts(store) == ["one", "two"]


def test_a_block_that_raises_writes_nothing(store: Store) -> None:
    with pytest.raises(ConflictError):
        _add(store, "one", "two", "one")
    assert _facts(store) == []


def test_a_refused_row_is_a_conflict_that_quotes_no_row(store: Store) -> None:
    _add(store, "reader@example.org")
    with pytest.raises(ConflictError) as refused:
        _add(store, "reader@example.org")
    assert "facts" in str(refused.value)
    assert "reader@" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert _facts(store) == ["reader@example.org"]


def test_a_reader_sees_one_moment(store: Store) -> None:
    _add(store, "one")
    with store.read() as connection:
        before = connection.scalars(select(FactRow.name)).all()
        _add(store, "two")
        assert connection.scalars(select(FactRow.name)).all() == before


def test_a_reader_does_not_wait_for_a_writer(store: Store) -> None:
    with store.write() as connection:
        connection.execute(insert(FactRow).values(name="one", value=""))
        assert _facts(store) == []


@pytest.mark.parametrize("until", [Store.close, Store.give_way])
def test_what_much_is_written_gets_into_the_file_behind_the_commit(
    tmp_path: Path, until: Callable[[Store], None]
) -> None:
    store = Store.open("sqlite:///newsletter.db", site_dir=tmp_path)
    other = sqlite3.connect(tmp_path / "newsletter.db")  # while it is open nobody closes the file for good
    other.execute("SELECT count(*) FROM facts").fetchall()
    with store.write_much() as connection:
        connection.execute(insert(FactRow), [{"name": f"{number}", "value": "x" * 4_000} for number in range(2_000)])
    until(store)
    alone = sqlite3.connect(f"file:{tmp_path}/newsletter.db?immutable=1", uri=True)  # does not look at the journal
    assert alone.execute("SELECT count(*) FROM facts WHERE value LIKE 'x%'").fetchall() == [(2_000,)]
    alone.close()
    other.close()
    store.close()


def test_serial_writers_write(store: Store) -> None:
    with store.write(serial=True) as connection:
        connection.execute(insert(FactRow).values(name="one", value=""))
    assert _facts(store) == ["one"]


def test_a_sqlite_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    with Store.open("sqlite:///var/newsletter.db", site_dir=tmp_path) as store:
        _add(store, "one")
        files = list((tmp_path / "var").iterdir())
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert {file.name for file in files} >= {"newsletter.db", "newsletter.db-wal"}


def test_sqlite_keeps_a_commit_through_a_power_cut_and_checks_references(tmp_path: Path) -> None:
    with Store.open("sqlite:///newsletter.db", site_dir=tmp_path) as store, store.read() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert found == ["wal", 2, 1, 30_000]


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///:memory:", "mysql://host/name", "no url"])
def test_a_url_of_another_kind_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"\[store\] url: expected sqlite:///FILE or postgresql://"):
        Store.open(url, site_dir=tmp_path)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)
    with pytest.raises(StoreError, match="is not a database"):
        Store.open("sqlite:///notes.txt", site_dir=tmp_path)
    assert path.read_text() == "not a database, " * 100


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"var/newsletter\.db: cannot be created"):
        Store.open("sqlite:///var/newsletter.db", site_dir=tmp_path)


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as refused:
        Store.open("postgresql://someone:sesame@127.0.0.1:1/news", site_dir=tmp_path)
    assert "cannot be reached" in str(refused.value)
    assert "127.0.0.1:1" in str(refused.value)
    assert "sesame" not in str(refused.value)


def test_a_full_disk_is_an_error_and_what_was_there_stays(tmp_path: Path) -> None:
    with made_store(tmp_path) as store:
        _add(store, "one")
        with store.read() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")  # as good as no space left
        with pytest.raises(StoreError, match="the disk is full"):
            _add(store, "x" * 1_000_000)
        assert _facts(store) == ["one"]


def test_a_sqlite_writer_has_the_lock_before_it_reads(tmp_path: Path) -> None:
    # Else what it read could be old by the time it writes, and the write would be refused.
    with made_store(tmp_path) as store, store.write():
        other = sqlite3.connect(tmp_path / "newsletter.db", isolation_level=None, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_a_lock_held_for_too_long_says_so(tmp_path: Path) -> None:
    with Store.open("sqlite:///newsletter.db", site_dir=tmp_path, patience=timedelta(milliseconds=50)) as store:
        other = sqlite3.connect(tmp_path / "newsletter.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked for too long by another program"):
            _add(store, "one")
        other.close()
        _add(store, "one")


def test_a_writer_gets_its_turn_when_another_program_lets_go_and_readers_stay_patient(tmp_path: Path) -> None:
    with made_store(tmp_path) as store, ThreadPoolExecutor(1) as waiting:
        other = sqlite3.connect(tmp_path / "newsletter.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        written = waiting.submit(_add, store, "one")
        assert _facts(store) == [], "who reads waits for nobody"
        other.execute("COMMIT")
        written.result(timeout=30)
        other.close()
        assert _facts(store) == ["one"]
        with store.read() as connection:
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == PATIENCE.total_seconds() * 1000


def test_a_database_that_is_missing_on_the_server_is_named(postgres_url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r'cannot be reached.*"nowhere" does not exist'):
        Store.open(postgres_url.removesuffix("postgres") + "nowhere", site_dir=tmp_path)


@pytest.mark.postgres
def test_a_program_that_is_frozen_in_the_middle_of_writing_does_not_end_the_others(
    fresh_postgres_url: str, tmp_path: Path
) -> None:
    patience = timedelta(seconds=2)
    with (
        Store.open(fresh_postgres_url, site_dir=tmp_path, patience=patience) as frozen,
        Store.open(fresh_postgres_url, site_dir=tmp_path, patience=patience) as other,
    ):
        with pytest.raises(StoreError):
            _add_and_wait_for(frozen, "one", lambda: _add(other, "one"))
        assert _facts(other) == ["one"]
        _add(frozen, "two")
        assert _facts(other) == ["one", "two"]
