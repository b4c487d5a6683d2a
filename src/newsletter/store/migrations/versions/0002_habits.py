"""What is learned of a feed's rhythm and address."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("feeds", sa.Column("habits", sa.Text(), nullable=True))
