"""Running Alembic without an ini file, on a connection and in a transaction that is already open."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def config_for(connection: Connection) -> Config:
    """Alembic's settings: the scripts beside this file, run on `connection`."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "newsletter.store:migrations")
    return config


def upgrade(connection: Connection) -> None:
    """Run the migrations that are missing. The caller commits."""
    command.upgrade(config_for(connection), "head")
