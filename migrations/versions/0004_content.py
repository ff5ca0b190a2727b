"""Assets of a channel, and the uploads they come by."""

from migrations.kit import belongs_to, drop_schema, schema, sql, tenant_table

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    schema("content")
    tenant_table(
        "content.assets",
        f"""owner_id uuid NOT NULL,
        kind text NOT NULL CONSTRAINT ck_assets_kind CHECK (kind IN ('video', 'audio', 'image', 'document', 'file')),
        state text NOT NULL DEFAULT 'uploading' CONSTRAINT ck_assets_state
            CHECK (state IN ('uploading', 'checking', 'processing', 'ready', 'failed', 'deleted')),
        filename text NOT NULL, size bigint NOT NULL CONSTRAINT ck_assets_size CHECK (size >= 0), sha256 text,
        content_type text NOT NULL DEFAULT 'application/octet-stream', duration_seconds double precision, width bigint, height bigint,
        original_key text NOT NULL, run text, folder text, file_key text, poster_key text, hls_key text, mp4_key text,
        facts jsonb NOT NULL DEFAULT '{{}}',
        progress bigint NOT NULL DEFAULT 0 CONSTRAINT ck_assets_progress CHECK (progress BETWEEN 0 AND 100), stage text NOT NULL DEFAULT '',
        failure text, is_refused boolean NOT NULL DEFAULT false, created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(), started_at timestamptz, ready_at timestamptz,
        {belongs_to("owner_id", "channels.members")}""",
    )
    tenant_table(
        "content.uploads",
        f"""asset_id uuid NOT NULL, key text NOT NULL, upload_id text NOT NULL, size bigint NOT NULL,
        part_size bigint NOT NULL CONSTRAINT ck_uploads_part_size CHECK (part_size > 0),
        part_count bigint NOT NULL CONSTRAINT ck_uploads_part_count CHECK (part_count BETWEEN 1 AND 10000),
        state text NOT NULL DEFAULT 'open' CONSTRAINT ck_uploads_state CHECK (state IN ('open', 'completed', 'aborted')),
        created_at timestamptz NOT NULL DEFAULT now(), touched_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_uploads_channel_id_asset_id UNIQUE (channel_id, asset_id),
        {belongs_to("asset_id", "content.assets", on_delete="CASCADE")}""",
    )
    sql(
        "CREATE INDEX ix_assets_made ON content.assets (channel_id, created_at, id)",
        "CREATE INDEX ix_assets_owner ON content.assets (channel_id, owner_id, created_at)",
        "CREATE INDEX ix_assets_state ON content.assets (channel_id, state, updated_at)",
        "CREATE INDEX ix_uploads_open ON content.uploads (channel_id, state, touched_at)",
    )


def downgrade() -> None:
    drop_schema("content")
