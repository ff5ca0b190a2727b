"""What stock reports are made of: watching by days, people by weeks, figures of courses; and the orders new lists are read in."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    tenant_table(
        "enrollments.watch_days",
        f"""day date NOT NULL, course_id uuid NOT NULL, user_id uuid NOT NULL, watch_ms bigint NOT NULL,
        CONSTRAINT uq_watch_days_channel_id_day_course_id_user_id UNIQUE (channel_id, day, course_id, user_id),
        CONSTRAINT ck_watch_days_positive CHECK (watch_ms > 0),
        {belongs_to("user_id", "channels.members")}, {belongs_to("course_id", "courses.courses")}""",
    )
    tenant_table(
        "reporting.weekly",
        """week date NOT NULL, cohort date NOT NULL, people bigint NOT NULL,
        CONSTRAINT uq_weekly_channel_id_week_cohort UNIQUE (channel_id, week, cohort)""",
    )
    tenant_table(
        "reporting.course_figures",
        f"""course_id uuid NOT NULL, enrolled bigint NOT NULL, started bigint NOT NULL, completed bigint NOT NULL, median_seconds bigint,
        stopped_lesson_id uuid, stopped bigint NOT NULL, counted_at timestamptz NOT NULL,
        CONSTRAINT uq_course_figures_channel_id_course_id UNIQUE (channel_id, course_id),
        {belongs_to("course_id", "courses.courses", on_delete="CASCADE")}""",
    )
    sql(
        "CREATE INDEX ix_sessions_created ON auth.sessions (channel_id, created_at, id)",
        "CREATE INDEX ix_visits_joined ON streaming.visits (channel_id, joined_at, id)",
        "CREATE INDEX ix_watch_days_person ON enrollments.watch_days (channel_id, user_id)",
    )


def downgrade() -> None:
    sql(
        "DROP INDEX IF EXISTS auth.ix_sessions_created",
        "DROP INDEX IF EXISTS streaming.ix_visits_joined",
        "DROP TABLE IF EXISTS reporting.course_figures, reporting.weekly, enrollments.watch_days",
    )
