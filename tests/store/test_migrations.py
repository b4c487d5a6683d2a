from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, NullPool, inspect, text

from newsletter.errors import StoreError
from newsletter.store.databases import engine_for, parse_url
from newsletter.store.editions import Editions
from newsletter.store.engine import Store
from newsletter.store.migrations import HEAD, OLDEST, REVISIONS
from newsletter.store.migrations.run import config_for
from newsletter.store.schema import schema_state
from newsletter.store.tables import Base
from tests.store.samples import claim_all, deliver, frozen, open_ledger
from tests.store.together import run_together

_OPEN = """
from pathlib import Path
from newsletter.store.engine import Store

await_the_others()
with Store.open(sys.argv[1], site_dir=Path(sys.argv[2])) as store, store.read() as connection:
    print(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())
"""


@pytest.fixture
def url(bare_url: str) -> str:
    """Of a database that no test had before, and none has after."""
    return bare_url


def _run_sql(store: Store, statement: str) -> None:
    with store.write() as connection:
        connection.execute(text(statement))


def test_migrations_make_exactly_the_tables(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_partial_indexes_have_their_conditions(store: Store) -> None:
    with store.read() as connection:
        found = {
            index["name"]: str(condition)
            for table in Base.metadata.tables
            for index in inspect(connection).get_indexes(table)
            for name, condition in index.get("dialect_options", {}).items()
            if name.endswith("_where")
        }
    wanted = {
        str(index.name): str(condition)
        for table in Base.metadata.tables.values()
        for index in table.indexes
        if (condition := index.dialect_options["sqlite"]["where"]) is not None
    }
    assert wanted
    assert {name: condition.strip("()").lower() for name, condition in found.items()} == {
        name: condition.lower() for name, condition in wanted.items()
    }


def test_ids_that_are_in_tokens_are_never_used_twice_on_sqlite(tmp_path: Path) -> None:
    counted = {name for name, table in Base.metadata.tables.items() if table.dialect_options["sqlite"]["autoincrement"]}
    with Store.open("sqlite:///newsletter.db", site_dir=tmp_path) as store, store.read() as connection:
        made = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")
        assert set(made.scalars()) == counted
    assert {"subscriptions", "subscribers", "deliveries", "letters"} <= counted


def test_the_list_of_revisions_is_the_folder_of_scripts(store: Store) -> None:
    with store.read() as connection:
        scripts = ScriptDirectory.from_config(config_for(connection))
    assert [script.revision for script in scripts.walk_revisions()] == list(reversed(REVISIONS))
    assert scripts.get_current_head() == HEAD


def test_a_second_opening_changes_nothing_and_needs_no_alembic(url: str, tmp_path: Path) -> None:
    Store.open(url, site_dir=tmp_path).close()
    check = f"{_OPEN}\nassert 'alembic' not in sys.modules"
    assert run_together(check, url, str(tmp_path), programs=1) == [f"{HEAD}\n"]


def test_programs_that_start_together_make_the_database_once(url: str, tmp_path: Path) -> None:
    assert run_together(_OPEN, url, str(tmp_path), programs=2) == [f"{HEAD}\n"] * 2


def test_a_database_of_a_newer_program_is_not_touched(store: Store, url: str, tmp_path: Path) -> None:
    _run_sql(store, "UPDATE alembic_version SET version_num = '9999'")
    _run_sql(store, "UPDATE facts SET value = '9998'")
    with pytest.raises(StoreError, match=f"made by a newer program .schema 9999, ours is {HEAD}"):
        Store.open(url, site_dir=tmp_path)
    assert "made by a newer program" in str(schema_state(url, site_dir=tmp_path))


def test_an_older_program_works_on_and_starts_again_after_a_newer_one_has_added_to_the_schema(
    store: Store, url: str, tmp_path: Path
) -> None:
    edition = frozen(store, 4)
    with open_ledger(store) as ledger:
        mine = claim_all(ledger, limit=2)
        _run_sql(store, "UPDATE alembic_version SET version_num = '9999'")
        for table in ("deliveries", "subscribers", "editions"):
            _run_sql(store, f"ALTER TABLE {table} ADD COLUMN novelty TEXT")
        assert deliver(ledger, mine) == [True, True]
    assert schema_state(url, site_dir=tmp_path) is None
    with Store.open(url, site_dir=tmp_path) as again, open_ledger(again) as ledger:
        assert deliver(ledger, claim_all(ledger)) == [True, True]
        assert Editions(again).report(edition).sent == 4


def test_every_migration_leaves_what_older_programs_need(url: str, tmp_path: Path) -> None:
    engine = engine_for(parse_url(url, site_dir=tmp_path), poolclass=NullPool)
    before: dict[tuple[str, str], str] = {}
    missed = []
    for revision in REVISIONS:
        with engine.begin() as connection:
            command.upgrade(config_for(connection), revision)
        found, optional = _columns(engine)
        tables = {table for table, _ in before}
        gone = {column: kind for column, kind in before.items() if found.get(column) != kind}
        wanted = {each for each in found.keys() - before.keys() - optional if each[0] in tables}
        missed += [f"{revision}: {each}" for each in (*gone, *wanted) if revision > OLDEST]
        before = found
    assert missed == [], "raise OLDEST, or let the old have a default"


def _columns(engine: Engine) -> tuple[dict[tuple[str, str], str], set[tuple[str, str]]]:
    """Every column with its type, and those that a row need not be given."""
    with engine.connect() as connection:
        looked = inspect(connection)
        columns = [(table, each) for table in looked.get_table_names() for each in looked.get_columns(table)]
    found = {(table, each["name"]): str(each["type"]) for table, each in columns}
    return found, {(table, each["name"]) for table, each in columns if each["nullable"] or each["default"] is not None}


def test_a_migration_that_fails_leaves_nothing_behind(url: str, tmp_path: Path) -> None:
    parsed = parse_url(url, site_dir=tmp_path)
    engine = engine_for(parsed, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE subscribers (in_the_way INTEGER)"))
    with pytest.raises(StoreError):
        Store.open(url, site_dir=tmp_path)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["subscribers"]


def test_a_database_at_head_or_not_made_yet_has_nothing_wrong(url: str, tmp_path: Path) -> None:
    assert schema_state(url, site_dir=tmp_path) is None
    Store.open(url, site_dir=tmp_path).close()
    assert schema_state(url, site_dir=tmp_path) is None


def test_asking_for_the_state_makes_no_file(tmp_path: Path) -> None:
    assert schema_state("sqlite:///var/newsletter.db", site_dir=tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_cannot_be_reached_says_why(tmp_path: Path) -> None:
    assert "cannot be reached" in str(schema_state("postgresql://127.0.0.1:1/news", site_dir=tmp_path))
