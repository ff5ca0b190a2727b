"""Views pinned to the dashboard: of their owner, or of everybody who may see the list."""

from migrations.kit import sql

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    sql(
        "ALTER TABLE reporting.views ADD COLUMN pin text NOT NULL DEFAULT '', ADD CONSTRAINT ck_views_pin CHECK (pin IN ('', 'me', 'all'))",
        "CREATE INDEX ix_views_pinned ON reporting.views (channel_id, pin, user_id) WHERE pin <> '' AND deleted_at IS NULL",
    )


def downgrade() -> None:
    sql("DROP INDEX IF EXISTS reporting.ix_views_pinned", "ALTER TABLE reporting.views DROP COLUMN IF EXISTS pin")
