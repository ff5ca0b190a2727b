"""Videos are made in pieces; what was made of a file, and how many bytes that is."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    sql(
        "ALTER TABLE content.assets ADD COLUMN sound_key text, ADD COLUMN storyboard_key text,"
        " ADD COLUMN made jsonb NOT NULL DEFAULT '{}', ADD COLUMN made_bytes bigint NOT NULL DEFAULT 0, ADD COLUMN playable_at timestamptz"
    )
    tenant_table(
        "content.pieces",
        f"""asset_id uuid NOT NULL, run text NOT NULL, number bigint NOT NULL,
        kind text NOT NULL CONSTRAINT ck_pieces_kind CHECK (kind IN ('pictures', 'sound')), source_key text NOT NULL,
        starts_at double precision NOT NULL DEFAULT 0, seconds double precision NOT NULL,
        state text NOT NULL DEFAULT 'waiting' CONSTRAINT ck_pieces_state CHECK (state IN ('waiting', 'running', 'done')),
        ticket uuid, tries bigint NOT NULL DEFAULT 0, done_seconds double precision NOT NULL DEFAULT 0,
        made jsonb NOT NULL DEFAULT '{{}}', created_at timestamptz NOT NULL DEFAULT now(), taken_at timestamptz, done_at timestamptz,
        CONSTRAINT uq_pieces_channel_id_asset_id_run_number UNIQUE (channel_id, asset_id, run, number),
        {belongs_to("asset_id", "content.assets", on_delete="CASCADE")}""",
    )
    sql("CREATE INDEX ix_pieces_open ON content.pieces (channel_id, state, created_at) WHERE state <> 'done'")


def downgrade() -> None:
    sql(
        "DROP TABLE content.pieces",
        "ALTER TABLE content.assets DROP COLUMN sound_key, DROP COLUMN storyboard_key, DROP COLUMN made, DROP COLUMN made_bytes,"
        " DROP COLUMN playable_at",
    )
