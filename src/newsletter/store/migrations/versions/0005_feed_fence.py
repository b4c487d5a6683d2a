"""How often a feed was taken: what somebody took earlier and keeps later is not written."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("feeds", sa.Column("fence", sa.Integer(), nullable=False, server_default=sa.text("0")))
