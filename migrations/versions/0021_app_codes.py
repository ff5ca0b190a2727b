"""Authenticator apps: the sealed key, since when, the newest step used, and digests of recovery codes."""

from migrations.kit import sql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    sql(
        "ALTER TABLE auth.users ADD COLUMN app_key bytea, ADD COLUMN app_since timestamptz, ADD COLUMN app_step bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN recovery_digests jsonb NOT NULL DEFAULT '[]'"
    )


def downgrade() -> None:
    sql("ALTER TABLE auth.users DROP COLUMN app_key, DROP COLUMN app_since, DROP COLUMN app_step, DROP COLUMN recovery_digests")
