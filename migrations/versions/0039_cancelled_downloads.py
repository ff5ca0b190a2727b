"""A file that is being made can be called off."""

from migrations.kit import sql

revision = "0039"
down_revision = "0038"
STATES = "ALTER TABLE reporting.downloads DROP CONSTRAINT ck_downloads_state, ADD CONSTRAINT ck_downloads_state CHECK (state IN (%s))"


def upgrade() -> None:
    sql(STATES % "'waiting', 'ready', 'failed', 'expired', 'cancelled'")


def downgrade() -> None:
    sql("UPDATE reporting.downloads SET state = 'expired' WHERE state = 'cancelled'", STATES % "'waiting', 'ready', 'failed', 'expired'")
