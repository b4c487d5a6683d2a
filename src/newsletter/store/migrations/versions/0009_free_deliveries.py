"""No foreign keys from deliveries: freezing a million of them looked up three million rows that it had just read."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    # SQLite makes the table anew. Nothing refers to it, and its counter goes on where it was.
    with op.batch_alter_table("deliveries", table_kwargs={"sqlite_autoincrement": True}) as deliveries:
        for column in ("edition_id", "subscriber_id", "subscription_id"):
            deliveries.drop_constraint(f"fk_deliveries_{column}", type_="foreignkey")
