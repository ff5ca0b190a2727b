"""Those of one course in one state, in order: who completed it is found without reading everybody in it."""

from migrations.kit import sql

revision = "0065"
down_revision = "0064"


def upgrade() -> None:
    sql("CREATE INDEX ix_enrollments_course_status ON enrollments.enrollments (channel_id, course_id, status, enrolled_at, id)")


def downgrade() -> None:
    sql("DROP INDEX enrollments.ix_enrollments_course_status")
