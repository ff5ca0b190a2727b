"""Batches of vouchers that are done with lie in the archive, out of the way."""

from migrations.kit import sql

revision = "0059"
down_revision = "0058"


def upgrade() -> None:
    sql("ALTER TABLE vouchers.batches ADD COLUMN archived_at timestamptz")


def downgrade() -> None:
    sql("ALTER TABLE vouchers.batches DROP COLUMN archived_at")
