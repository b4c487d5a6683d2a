"""The schema's history. A change of `tables/` is a new script in `versions/` and its name at the end of REVISIONS.

The tests compare what the scripts make with the tables, on SQLite and PostgreSQL, and say what is missing.
"""

REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
    "0015",
    "0016",
    "0017",
)
"""Every revision there is, oldest first: known without importing Alembic."""

HEAD = REVISIONS[-1]

OLDEST = "0001"
"""The head of the oldest program that can go on working with this schema, which is told to it by the database.

Migrations add: tables, columns that may be empty or have a default of the database's own. What nobody needs any more is
taken away later, by a migration that raises this to the head of the first program that does without it.
"""
