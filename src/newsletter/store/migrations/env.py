"""What Alembic runs: no ini file and no engine of its own, only the connection it is given."""

from alembic import context

from newsletter.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite can roll back a schema change too, because here nobody but us begins and commits.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
