import psycopg
import pytest

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("number", [1, 2])
def test_each_test_gets_tables_with_nothing_in_them(fresh_postgres_url: str, number: int) -> None:
    with psycopg.connect(fresh_postgres_url) as connection:
        assert connection.execute("select count(*) from stories").fetchone() == (0,)
        connection.execute("insert into stories (created_at) values (now())")


def test_or_a_database_without_any(bare_postgres_url: str) -> None:
    with psycopg.connect(bare_postgres_url) as connection:
        tables = connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone()
        assert tables == (0,)


def test_the_database_of_the_test_before_is_gone(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        left = connection.execute("select datname from pg_database where datname like 'test_%'").fetchall()
    assert left == []
