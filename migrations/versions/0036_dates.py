"""Courses go into the catalogue, and leave it, on a day that was said before."""

from migrations.kit import sql

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    sql(
        "ALTER TABLE courses.courses ADD COLUMN publish_at timestamptz, ADD COLUMN unpublish_at timestamptz",
        "ALTER TABLE courses.courses ADD CONSTRAINT ck_courses_dates CHECK (publish_at < unpublish_at) NOT VALID",
        "ALTER TABLE courses.courses VALIDATE CONSTRAINT ck_courses_dates",
        "CREATE INDEX ix_courses_publish_at ON courses.courses (channel_id, publish_at) WHERE publish_at IS NOT NULL",
        "CREATE INDEX ix_courses_unpublish_at ON courses.courses (channel_id, unpublish_at) WHERE unpublish_at IS NOT NULL",
    )


def downgrade() -> None:
    sql("ALTER TABLE courses.courses DROP COLUMN publish_at, DROP COLUMN unpublish_at")
