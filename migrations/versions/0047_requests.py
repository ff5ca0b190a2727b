"""Requests to be enrolled, and the rule by which a course says yes by itself."""

from migrations.kit import APP, belongs_to, sql, tenant_table

revision = "0047"
down_revision = "0046"


def _unbegun(sources: str) -> str:
    """An enrolment that cost nothing and nobody began can be taken back without a trace of it; every other one is history and stays."""
    return (
        f"CREATE POLICY unbegun ON enrollments.enrollments AS RESTRICTIVE FOR DELETE TO {APP}"
        f" USING (source IN ({sources}) AND order_id IS NULL AND last_seen_at IS NULL AND progress = 0)"
    )


def upgrade() -> None:
    sql(
        "ALTER TABLE courses.courses ADD COLUMN entry_domains jsonb NOT NULL DEFAULT '[]', ADD COLUMN entry_tag text NOT NULL DEFAULT '',"
        " ADD COLUMN entry_segment_id uuid",
        f"ALTER TABLE courses.courses ADD {belongs_to('entry_segment_id', 'channels.segments')} NOT VALID",
        "ALTER TABLE courses.courses VALIDATE CONSTRAINT fk_entry_segment_id_channels_segments",
        "DROP POLICY unbegun ON enrollments.enrollments",
        _unbegun("'manual', 'request'"),
        "CREATE INDEX ix_courses_entry_segment ON courses.courses (channel_id, entry_segment_id) WHERE entry_segment_id IS NOT NULL",
    )
    tenant_table(
        "enrollments.requests",
        f"""user_id uuid NOT NULL, course_id uuid NOT NULL, reason text NOT NULL, state text NOT NULL DEFAULT 'waiting'
        CONSTRAINT ck_requests_state CHECK (state IN ('waiting', 'approved', 'refused', 'withdrawn', 'expired')),
        answer text NOT NULL DEFAULT '', asked_at timestamptz NOT NULL DEFAULT now(), answered_at timestamptz, answered_by uuid,
        is_by_rule boolean NOT NULL DEFAULT false, used_at timestamptz,
        {belongs_to("user_id", "channels.members")}, {belongs_to("course_id", "courses.courses")},
        CONSTRAINT ck_requests_answered CHECK ((state = 'waiting') = (answered_at IS NULL))""",
        app="SELECT, INSERT, UPDATE",
    )
    sql(
        "CREATE UNIQUE INDEX uq_requests_waiting ON enrollments.requests (channel_id, user_id, course_id) WHERE state = 'waiting'",
        "CREATE INDEX ix_requests_asked ON enrollments.requests (channel_id, asked_at, id)",
        "CREATE INDEX ix_requests_course ON enrollments.requests (channel_id, course_id, state)",
        "CREATE INDEX ix_requests_user ON enrollments.requests (channel_id, user_id, course_id)",
        "CREATE INDEX ix_requests_state ON enrollments.requests (channel_id, state, asked_at) WHERE state IN ('waiting', 'approved')",
    )


def downgrade() -> None:
    sql(
        "DROP POLICY unbegun ON enrollments.enrollments",
        _unbegun("'manual'"),
        "DROP TABLE enrollments.requests",
        "ALTER TABLE courses.courses DROP COLUMN entry_domains, DROP COLUMN entry_tag, DROP COLUMN entry_segment_id",
    )
