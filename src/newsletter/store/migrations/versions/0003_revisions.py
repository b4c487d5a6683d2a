"""What items were before they changed, what feeds listed last, and what retracted items go back to."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("items", sa.Column("retracted_from", sa.String(24), nullable=True))
    op.create_table(
        "item_revisions",
        sa.Column("id", ID, nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("dek", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_item_revisions_item_id"),
        sa.PrimaryKeyConstraint("id", name="pk_item_revisions"),
        sa.UniqueConstraint("item_id", "content_hash", name="uq_item_revisions_item_id_content_hash"),
    )
    op.create_table(
        "windows",
        sa.Column("feed_id", sa.String(100), nullable=False),
        sa.Column("item_ids", sa.Text(), nullable=False),
        sa.Column("missing", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name="fk_windows_feed_id"),
        sa.PrimaryKeyConstraint("feed_id", name="pk_windows"),
    )
