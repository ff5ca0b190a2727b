"""A live class of one batch: its people alone see and join it."""

from migrations.kit import belongs_to, sql

revision = "0060"
down_revision = "0059"


def upgrade() -> None:
    sql(
        "ALTER TABLE streaming.sessions ADD COLUMN batch_id uuid",
        f"ALTER TABLE streaming.sessions ADD {belongs_to('batch_id', 'enrollments.course_batches')}",
        "CREATE INDEX ix_sessions_batch ON streaming.sessions (channel_id, batch_id, starts_at) WHERE batch_id IS NOT NULL",
    )


def downgrade() -> None:
    sql("ALTER TABLE streaming.sessions DROP COLUMN batch_id")
