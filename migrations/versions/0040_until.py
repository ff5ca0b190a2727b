"""An enrolment may have a last day."""

from migrations.kit import sql

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    sql(
        "ALTER TABLE enrollments.enrollments ADD COLUMN until_on date",
        "CREATE INDEX ix_enrollments_until ON enrollments.enrollments (channel_id, until_on) WHERE until_on IS NOT NULL",
    )


def downgrade() -> None:
    sql("ALTER TABLE enrollments.enrollments DROP COLUMN until_on")
