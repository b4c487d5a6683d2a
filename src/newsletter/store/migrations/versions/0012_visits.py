"""How often editions were opened and their links followed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "visits",
        sa.Column("edition_id", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("agent", sa.String(24), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_visits_edition_id_editions"),
        sa.PrimaryKeyConstraint("edition_id", "url", "agent", name="pk_visits"),
    )
