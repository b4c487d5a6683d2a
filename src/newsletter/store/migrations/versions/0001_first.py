"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)
STATE = sa.String(24)


def upgrade() -> None:
    op.create_table(
        "editions",
        sa.Column("id", sa.String(150), nullable=False),
        sa.Column("digest_id", sa.String(100), nullable=False),
        sa.Column("list_id", sa.String(100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("state_because", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("slot", sa.String(32), nullable=False),
        sa.Column("dated_at", AT, nullable=False),
        sa.Column("frozen_at", AT, nullable=False),
        sa.Column("state_at", AT, nullable=False),
        sa.Column("template_hash", sa.String(64), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_editions"),
        sa.UniqueConstraint("digest_id", "slot", name="uq_editions_digest_id_slot"),
        sa.UniqueConstraint("list_id", "number", name="uq_editions_list_id_number"),
    )
    op.create_index("ix_editions_state", "editions", ["state"])
    op.create_table(
        "facts",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_facts"),
    )
    op.create_table(
        "feeds",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("body_hash", sa.String(64), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_try_at", AT, nullable=True),
        sa.Column("last_success_at", AT, nullable=True),
        sa.Column("next_poll_at", AT, nullable=True),
        sa.Column("not_before_at", AT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("because", sa.Text(), nullable=True),
        sa.Column("leased_until", AT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_feeds"),
    )
    op.create_table(
        "limits",
        sa.Column("key", sa.String(150), nullable=False),
        sa.Column("window", ID, nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("ends_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("key", "window", name="pk_limits"),
    )
    op.create_index("ix_limits_ends_at", "limits", ["ends_at"])
    op.create_table(
        "slots",
        sa.Column("digest_id", sa.String(100), nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("due_at", AT, nullable=False),
        sa.Column("settled_at", AT, nullable=True),
        sa.Column("edition_id", sa.String(150), nullable=True),
        sa.Column("because", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("digest_id", "key", name="pk_slots"),
    )
    op.create_table(
        "stories",
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stories"),
    )
    op.create_table(
        "subscribers",
        sa.Column("id", ID, nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("address_key", sa.String(320), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.String(35), nullable=True),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("erased_at", AT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_subscribers"),
        sa.UniqueConstraint("address_key", name="uq_subscribers_address_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "suppressions",
        sa.Column("address_hash", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name="pk_suppressions"),
    )
    op.create_table(
        "documents",
        sa.Column("edition_id", sa.String(150), nullable=False),
        sa.Column("variant", sa.String(40), nullable=False),
        sa.Column("rendered", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_documents_edition_id"),
        sa.PrimaryKeyConstraint("edition_id", "variant", name="pk_documents"),
    )
    op.create_table(
        "issues",
        sa.Column("list_id", sa.String(100), nullable=False),
        sa.Column("story_id", ID, nullable=False),
        sa.Column("edition_id", sa.String(150), nullable=True),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_issues_edition_id"),
        sa.ForeignKeyConstraint(["story_id"], ["stories.id"], name="fk_issues_story_id"),
        sa.PrimaryKeyConstraint("list_id", "story_id", name="pk_issues"),
    )
    op.create_index("ix_issues_edition_id", "issues", ["edition_id"])
    op.create_table(
        "items",
        sa.Column("id", ID, nullable=False),
        sa.Column("feed_id", sa.String(100), nullable=False),
        sa.Column("story_id", ID, nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("guid", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("dek", sa.Text(), nullable=False),
        sa.Column("byline", sa.Text(), nullable=False),
        sa.Column("section_line", sa.Text(), nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("image", sa.Text(), nullable=True),
        sa.Column("language", sa.String(35), nullable=True),
        sa.Column("direction", STATE, nullable=False),
        sa.Column("published_at", AT, nullable=True),
        sa.Column("updated_at", AT, nullable=True),
        sa.Column("dated_at", AT, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("source_digest", sa.String(64), nullable=False),
        sa.Column("first_seen_at", AT, nullable=False),
        sa.Column("last_seen_at", AT, nullable=False),
        sa.Column("changed_at", AT, nullable=True),
        sa.Column("because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name="fk_items_feed_id"),
        sa.ForeignKeyConstraint(["story_id"], ["stories.id"], name="fk_items_story_id"),
        sa.PrimaryKeyConstraint("id", name="pk_items"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_items_candidates", "items", ["state", "feed_id", "dated_at", "id", "story_id"])
    op.create_index("ix_items_dated_at", "items", ["dated_at"])
    op.create_index("ix_items_feed_id_dated_at", "items", ["feed_id", "dated_at"])
    op.create_index("ix_items_feed_id_source_digest", "items", ["feed_id", "source_digest"])
    op.create_index("ix_items_story_id", "items", ["story_id"])
    op.create_table(
        "subscriptions",
        sa.Column("id", ID, nullable=False),
        sa.Column("subscriber_id", ID, nullable=False),
        sa.Column("list_id", sa.String(100), nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("since_at", AT, nullable=False),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscribers.id"], name="fk_subscriptions_subscriber_id"),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
        sa.UniqueConstraint("subscriber_id", "list_id", name="uq_subscriptions_subscriber_id_list_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subscriptions_list_id_state", "subscriptions", ["list_id", "state"])
    op.create_table(
        "aliases",
        sa.Column("kind", STATE, nullable=False),
        sa.Column("scope", sa.String(100), nullable=False),
        sa.Column("value", sa.String(200), nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("strong", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_aliases_item_id"),
        sa.PrimaryKeyConstraint("kind", "scope", "value", "item_id", name="pk_aliases"),
    )
    op.create_index("ix_aliases_item_id", "aliases", ["item_id"])
    op.create_index(
        "ux_aliases_strong",
        "aliases",
        ["kind", "scope", "value"],
        unique=True,
        sqlite_where=sa.text("strong"),
        postgresql_where=sa.text("strong"),
    )
    op.create_table(
        "consents",
        sa.Column("id", ID, nullable=False),
        sa.Column("subscription_id", ID, nullable=False),
        sa.Column("before", STATE, nullable=True),
        sa.Column("after", STATE, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"], name="fk_consents_subscription_id"),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index("ix_consents_subscription_id", "consents", ["subscription_id"])
    op.create_table(
        "deliveries",
        sa.Column("edition_id", sa.String(150), nullable=False),
        sa.Column("subscriber_id", ID, nullable=False),
        sa.Column("subscription_id", ID, nullable=False),
        sa.Column("variant", sa.String(40), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("due_at", AT, nullable=False),
        sa.Column("queued_at", AT, nullable=False),
        sa.Column("begun_at", AT, nullable=True),
        sa.Column("settled_at", AT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(100), nullable=True),
        sa.Column("leased_until", AT, nullable=True),
        sa.Column("relay", sa.String(100), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("enhanced", sa.String(20), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_deliveries_edition_id"),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscribers.id"], name="fk_deliveries_subscriber_id"),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"], name="fk_deliveries_subscription_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("subscriber_id", "edition_id", name="uq_deliveries_subscriber_id_edition_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_edition_id_state_due_at", "deliveries", ["edition_id", "state", "due_at"])
    op.create_index(
        "ix_deliveries_owned",
        "deliveries",
        ["owner"],
        sqlite_where=sa.text("owner IS NOT NULL"),
        postgresql_where=sa.text("owner IS NOT NULL"),
    )
    op.create_table(
        "edition_items",
        sa.Column("edition_id", sa.String(150), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("story_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_edition_items_edition_id"),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_edition_items_item_id"),
        sa.ForeignKeyConstraint(["story_id"], ["stories.id"], name="fk_edition_items_story_id"),
        sa.PrimaryKeyConstraint("edition_id", "position", name="pk_edition_items"),
    )
    op.create_index("ix_edition_items_item_id", "edition_items", ["item_id"])
    op.create_table(
        "letters",
        sa.Column("kind", STATE, nullable=False),
        sa.Column("subscription_id", ID, nullable=False),
        sa.Column("key", sa.String(150), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("due_at", AT, nullable=False),
        sa.Column("queued_at", AT, nullable=False),
        sa.Column("begun_at", AT, nullable=True),
        sa.Column("settled_at", AT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(100), nullable=True),
        sa.Column("leased_until", AT, nullable=True),
        sa.Column("relay", sa.String(100), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("enhanced", sa.String(20), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"], name="fk_letters_subscription_id"),
        sa.PrimaryKeyConstraint("id", name="pk_letters"),
        sa.UniqueConstraint("key", name="uq_letters_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_letters_state_due_at", "letters", ["state", "due_at"])
    op.create_index("ix_letters_subscription_id", "letters", ["subscription_id"])
    op.create_table(
        "merges",
        sa.Column("id", ID, nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("story_id", ID, nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("merged_at", AT, nullable=False),
        sa.Column("undone_at", AT, nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_merges_item_id"),
        sa.ForeignKeyConstraint(["story_id"], ["stories.id"], name="fk_merges_story_id"),
        sa.PrimaryKeyConstraint("id", name="pk_merges"),
    )
    op.create_index("ix_merges_item_id", "merges", ["item_id"])
    op.create_index("ix_merges_story_id", "merges", ["story_id"])
