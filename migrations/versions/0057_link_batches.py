"""A link or key names the batch it gives a place of, where a course runs in batches."""

from migrations.kit import belongs_to, sql

revision = "0057"
down_revision = "0056"


def upgrade() -> None:
    sql(
        "ALTER TABLE enrollments.link_courses ADD COLUMN batch_id uuid",
        f"ALTER TABLE enrollments.link_courses ADD {belongs_to('batch_id', 'enrollments.course_batches')}",
        "CREATE INDEX ix_link_courses_batch ON enrollments.link_courses (channel_id, batch_id) WHERE batch_id IS NOT NULL",
    )


def downgrade() -> None:
    sql("ALTER TABLE enrollments.link_courses DROP COLUMN batch_id")
