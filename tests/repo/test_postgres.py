import psycopg
import pytest

pytestmark = pytest.mark.postgres


def test_each_test_gets_an_empty_database(fresh_postgres_url: str) -> None:
    with psycopg.connect(fresh_postgres_url) as connection:
        tables = connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone()
        assert tables == (0,)
        connection.execute("create table seen (id int)")


def test_the_database_of_the_test_before_is_gone(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        left = connection.execute("select datname from pg_database where datname like 'test_%'").fetchall()
    assert left == []
