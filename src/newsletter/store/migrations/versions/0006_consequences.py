"""What follows for a person when deliveries fail: a score of trouble, and the evidence for a suppression."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("suppressions", sa.Column("evidence", sa.Text(), nullable=True))
    op.create_table(
        "troubles",
        sa.Column("subscriber_id", ID, nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("since", AT, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscribers.id"], name="fk_troubles_subscriber_id"),
        sa.PrimaryKeyConstraint("subscriber_id", name="pk_troubles"),
    )
    op.create_index("ix_troubles_at", "troubles", ["at"])
