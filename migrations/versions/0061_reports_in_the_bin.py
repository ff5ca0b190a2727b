"""Lists by mail and downloads that were deleted lie in the bin."""

from migrations.kit import sql

revision = "0061"
down_revision = "0060"


def upgrade() -> None:
    sql(
        "ALTER TABLE reporting.schedules ADD COLUMN deleted_at timestamptz",
        "ALTER TABLE reporting.downloads ADD COLUMN deleted_at timestamptz",
    )


def downgrade() -> None:
    sql("ALTER TABLE reporting.downloads DROP COLUMN deleted_at", "ALTER TABLE reporting.schedules DROP COLUMN deleted_at")
