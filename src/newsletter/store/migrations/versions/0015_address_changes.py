"""Wishes for another address, and the letters that ask about them."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "address_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("subscriber_id", ID, nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("asked_at", AT, nullable=False),
        sa.Column("old_confirmed_at", AT, nullable=True),
        sa.Column("new_confirmed_at", AT, nullable=True),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscribers.id"], name="fk_address_changes_subscriber_id"),
        sa.PrimaryKeyConstraint("id", name="pk_address_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_address_changes_subscriber_id", "address_changes", ["subscriber_id"])
    op.create_index("ix_address_changes_asked_at", "address_changes", ["asked_at"])
    op.add_column("letters", sa.Column("change_id", ID, nullable=True))
