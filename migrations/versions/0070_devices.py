"""On how many devices one person may watch, and the devices each watches on."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0070"
down_revision = "0069"


def upgrade() -> None:
    sql(
        "ALTER TABLE content.rules ADD COLUMN most_devices bigint",
        "ALTER TABLE content.rules ADD CONSTRAINT ck_rules_most_devices CHECK (most_devices BETWEEN 1 AND 20) NOT VALID",
        "ALTER TABLE content.rules VALIDATE CONSTRAINT ck_rules_most_devices",
    )
    tenant_table(
        "content.devices",
        f"""user_id uuid NOT NULL, mark text NOT NULL, agent text NOT NULL DEFAULT '', viewer text NOT NULL DEFAULT '',
        place bigint NOT NULL, first_seen_at timestamptz NOT NULL, seen_at timestamptz NOT NULL,
        forgotten_at timestamptz, forgotten_by uuid,
        CONSTRAINT ck_devices_place CHECK (place BETWEEN 1 AND 20),
        {belongs_to("user_id", "channels.members", on_delete="CASCADE")}""",
    )
    # Two browsers that come at once are settled here: a place, and a browser, is there once.
    sql(
        "CREATE UNIQUE INDEX uq_devices_place ON content.devices (channel_id, user_id, place) WHERE forgotten_at IS NULL",
        "CREATE UNIQUE INDEX uq_devices_mark ON content.devices (channel_id, user_id, mark) WHERE forgotten_at IS NULL",
        "CREATE INDEX ix_devices_user ON content.devices (channel_id, user_id, seen_at)",
    )


def downgrade() -> None:
    sql("DROP TABLE content.devices", "ALTER TABLE content.rules DROP COLUMN most_devices")
