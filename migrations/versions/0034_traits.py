"""Tags, and the fields an academy asks its people for itself."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    tenant_table("channels.tags", "name text NOT NULL, created_at timestamptz NOT NULL DEFAULT now()")
    tenant_table(
        "channels.member_tags",
        f"""user_id uuid NOT NULL, tag_id uuid NOT NULL, at timestamptz NOT NULL DEFAULT now(),
        {belongs_to("user_id", "channels.members", on_delete="CASCADE")}, {belongs_to("tag_id", "channels.tags", on_delete="CASCADE")},
        CONSTRAINT uq_member_tags_channel_id_user_id_tag_id UNIQUE (channel_id, user_id, tag_id)""",
    )
    tenant_table(
        "channels.fields",
        """key text NOT NULL, label text NOT NULL, kind text NOT NULL
        CONSTRAINT ck_fields_kind CHECK (kind IN ('text', 'number', 'date', 'choice', 'yesno')),
        choices jsonb NOT NULL DEFAULT '[]', is_required boolean NOT NULL DEFAULT false, is_private boolean NOT NULL DEFAULT false,
        position bigint NOT NULL DEFAULT 0, created_at timestamptz NOT NULL DEFAULT now(), retired_at timestamptz,
        CONSTRAINT uq_fields_channel_id_key UNIQUE (channel_id, key)""",
        app="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "channels.field_values",
        f"""user_id uuid NOT NULL, field_id uuid NOT NULL, value text NOT NULL,
        {belongs_to("user_id", "channels.members", on_delete="CASCADE")}, {belongs_to("field_id", "channels.fields")},
        CONSTRAINT uq_field_values_channel_id_user_id_field_id UNIQUE (channel_id, user_id, field_id)""",
    )
    sql(
        "CREATE UNIQUE INDEX uq_tags_name ON channels.tags (channel_id, lower(name))",
        "CREATE INDEX ix_member_tags_tag ON channels.member_tags (channel_id, tag_id, user_id)",
        "CREATE INDEX ix_field_values_value ON channels.field_values (channel_id, field_id, value, user_id)",
    )


def downgrade() -> None:
    sql("DROP TABLE channels.field_values", "DROP TABLE channels.fields", "DROP TABLE channels.member_tags", "DROP TABLE channels.tags")
