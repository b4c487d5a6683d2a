"""Wordings kept once, tokens on record, kinds of suppression, domains; one key for one mailbox at Gmail."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_GMAIL = ("@gmail.com", "@googlemail.com")


def upgrade() -> None:
    op.create_table(
        "wordings",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_wordings"),
    )
    op.add_column("consents", sa.Column("wording", sa.String(64), nullable=True))
    op.add_column("consents", sa.Column("token", sa.String(40), nullable=True))
    op.add_column("suppressions", sa.Column("kind", sa.String(24), nullable=True))
    op.execute("UPDATE suppressions SET kind = CASE WHEN reason = 'erased' THEN 'erased' ELSE 'objection' END")
    op.create_table(
        "suppressed_domains",
        sa.Column("pattern", sa.String(255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("pattern", name="pk_suppressed_domains"),
    )
    _fold_keys(op.get_bind())


def _fold_keys(connection: sa.Connection) -> None:
    """Give each mailbox at Gmail the one key of all its spellings. Of two people who share one, the later keep theirs.

    Spelt out here, so that this step stays what it was when the model's rule changes.
    """
    people = sa.table("subscribers", sa.column("id", sa.BigInteger), sa.column("address_key", sa.String))
    for number, key in list(_keys(connection, people)):
        local = key.rpartition("@")[0].partition("+")[0].replace(".", "")
        folded = f"{local}@gmail.com"
        taken = connection.scalar(sa.select(people.c.id).where(people.c.address_key == folded))
        if local and folded != key and taken is None:
            connection.execute(sa.update(people).where(people.c.id == number).values(address_key=folded))


def _keys(connection: sa.Connection, people: sa.TableClause) -> Iterator[tuple[int, str]]:
    at_gmail = sa.or_(*(people.c.address_key.endswith(domain) for domain in _GMAIL))
    for row in connection.execute(sa.select(people).where(at_gmail).order_by(people.c.id)):
        yield row.id, row.address_key
