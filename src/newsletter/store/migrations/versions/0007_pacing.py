"""Providers that are held back, the lines for them, and turns that all senders share."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_WAITING = sa.text("waits_for IS NOT NULL")


def upgrade() -> None:
    for table, columns in (("deliveries", ["waits_for", "edition_id"]), ("letters", ["waits_for"])):
        op.add_column(table, sa.Column("waits_for", sa.String(255), nullable=True))
        op.create_index(f"ix_{table}_waiting", table, columns, sqlite_where=_WAITING, postgresql_where=_WAITING)
    op.create_table(
        "turns",
        sa.Column("scope", sa.String(300), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_turns"),
    )
    op.create_table(
        "slowdowns",
        sa.Column("provider", sa.String(255), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.Column("full_rate", sa.Double(), nullable=False),
        sa.Column("slowed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("complaints", sa.Integer(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("provider", name="pk_slowdowns"),
    )
