"""What an academy holds and may hold; files recognised before they are sent again; files to download beside lessons."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    tenant_table(
        "content.usage",
        """held_bytes bigint NOT NULL DEFAULT 0 CONSTRAINT ck_usage_held CHECK (held_bytes >= 0),
        quota_bytes bigint CONSTRAINT ck_usage_quota CHECK (quota_bytes >= 0), CONSTRAINT uq_usage_channel_id UNIQUE (channel_id)""",
    )
    tenant_table(
        "courses.resources",
        f"""lesson_id uuid NOT NULL, asset_id uuid NOT NULL, title text NOT NULL, downloads bigint NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_resources_channel_id_lesson_id_asset_id UNIQUE (channel_id, lesson_id, asset_id),
        {belongs_to("lesson_id", "courses.lessons")}, {belongs_to("asset_id", "content.assets")}""",
    )
    sql(
        "ALTER TABLE content.assets ADD COLUMN print text",
        "CREATE INDEX ix_assets_print ON content.assets (channel_id, print, size) WHERE print IS NOT NULL",
        "CREATE INDEX ix_resources_asset ON courses.resources (channel_id, asset_id)",
        "ALTER TABLE courses.lessons ADD COLUMN resource_count bigint NOT NULL DEFAULT 0",
    )


def downgrade() -> None:
    sql(
        "ALTER TABLE courses.lessons DROP COLUMN resource_count",
        "DROP TABLE courses.resources",
        "DROP INDEX content.ix_assets_print",
        "ALTER TABLE content.assets DROP COLUMN print",
        "DROP TABLE content.usage",
    )
