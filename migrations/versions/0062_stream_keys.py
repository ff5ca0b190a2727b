"""The key with which a class is sent over RTMP can be changed: how often it was."""

from migrations.kit import sql

revision = "0062"
down_revision = "0061"


def upgrade() -> None:
    sql("ALTER TABLE streaming.sessions ADD COLUMN key_version bigint NOT NULL DEFAULT 1 CHECK (key_version BETWEEN 1 AND 32767)")


def downgrade() -> None:
    sql("ALTER TABLE streaming.sessions DROP COLUMN key_version")
