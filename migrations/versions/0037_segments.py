"""Segments: conditions people are gathered by; who fits is asked each time."""

from migrations.kit import sql, tenant_table

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    tenant_table(
        "channels.segments",
        """name text NOT NULL, conditions jsonb NOT NULL, created_by uuid, created_at timestamptz NOT NULL DEFAULT now(),
        retired_at timestamptz, CONSTRAINT uq_segments_channel_id_name UNIQUE (channel_id, name)""",
        app="SELECT, INSERT, UPDATE",
    )


def downgrade() -> None:
    sql("DROP TABLE channels.segments")
