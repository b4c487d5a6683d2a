"""What readers prefer, and the forms of an edition that come of it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("subscribers", sa.Column("text_only", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("subscribers", sa.Column("tracking", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("subscriptions", sa.Column("weekly", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("subscriptions", sa.Column("topics", sa.Text(), nullable=True))
    _partial_index("ix_subscribers_text_only", "subscribers", ["text_only"], where="text_only")
    _partial_index("ix_subscribers_language", "subscribers", ["language"], where="language IS NOT NULL")
    _partial_index("ix_subscriptions_weekly", "subscriptions", ["list_id", "weekly"], where="weekly")
    _partial_index("ix_subscriptions_topics", "subscriptions", ["list_id"], where="topics IS NOT NULL")
    op.create_index("ix_edition_items_story_id", "edition_items", ["story_id"])
    op.create_table(
        "edition_variants",
        sa.Column("edition_id", sa.String(150), nullable=False),
        sa.Column("variant", sa.String(40), nullable=False),
        sa.Column("document", sa.String(40), nullable=False),
        sa.Column("text_only", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(35), nullable=True),
        sa.Column("left_out", sa.Text(), nullable=False),
        sa.Column("shortened", sa.Text(), nullable=False),
        sa.Column("readers", sa.Integer(), nullable=False),
        sa.Column("spared", sa.Integer(), nullable=False),
        sa.Column("nearest", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_edition_variants_edition_id"),
        sa.PrimaryKeyConstraint("edition_id", "variant", name="pk_edition_variants"),
    )


def _partial_index(name: str, table: str, columns: list[str], *, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
