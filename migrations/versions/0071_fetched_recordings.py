"""Recordings of outside rooms are fetched from where they lie."""

from migrations.kit import sql

revision = "0071"
down_revision = "0070"


def upgrade() -> None:
    sql(
        "ALTER TABLE streaming.recordings ADD COLUMN url text NOT NULL DEFAULT '', ADD COLUMN fetched_bytes bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN total_bytes bigint",
        "ALTER TABLE streaming.recordings DROP CONSTRAINT ck_recordings_state",
        "ALTER TABLE streaming.recordings ADD CONSTRAINT ck_recordings_state CHECK"
        " (state IN ('waiting', 'fetching', 'processing', 'ready', 'failed', 'missing', 'gone')) NOT VALID",
        "ALTER TABLE streaming.recordings VALIDATE CONSTRAINT ck_recordings_state",
    )


def downgrade() -> None:
    sql(
        "UPDATE streaming.recordings SET state = 'missing' WHERE state = 'fetching'",
        "ALTER TABLE streaming.recordings DROP CONSTRAINT ck_recordings_state",
        "ALTER TABLE streaming.recordings ADD CONSTRAINT ck_recordings_state CHECK"
        " (state IN ('waiting', 'processing', 'ready', 'failed', 'missing', 'gone'))",
        "ALTER TABLE streaming.recordings DROP COLUMN url, DROP COLUMN fetched_bytes, DROP COLUMN total_bytes",
    )
