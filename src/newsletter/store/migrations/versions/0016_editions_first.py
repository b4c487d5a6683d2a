"""Deliveries are unique by edition and person, in this order: what is frozen then stands together in the index.

By person first, each edition was scattered over the whole of it: the tenth took twice as long to freeze as the first.
"""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    # SQLite makes the table anew. Nothing refers to it, and its counter goes on where it was.
    with op.batch_alter_table("deliveries", table_kwargs={"sqlite_autoincrement": True}) as deliveries:
        deliveries.create_unique_constraint("uq_deliveries_edition_id_subscriber_id", ["edition_id", "subscriber_id"])
        deliveries.drop_constraint("uq_deliveries_subscriber_id_edition_id", type_="unique")
    op.drop_index("ix_subscriptions_list_id_state", "subscriptions")
    op.create_index("ix_subscriptions_recipients", "subscriptions", ["list_id", "state", "subscriber_id", "id"])
    op.create_index("ix_editions_frozen_at", "editions", ["frozen_at", "id"])
