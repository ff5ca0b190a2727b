"""Enrolments, and what each enrolled person did in each lesson."""

from migrations.kit import belongs_to, drop_schema, schema, sql, tenant_table

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    schema("enrollments")
    sql(
        # How many milliseconds a set of ranges covers.
        """
        CREATE FUNCTION enrollments.length(ranges int4multirange) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog
        RETURN (SELECT coalesce(sum(upper(part) - lower(part)), 0)::bigint FROM unnest(ranges) AS part)
        """
    )
    tenant_table(
        "enrollments.enrollments",
        f"""user_id uuid NOT NULL, course_id uuid NOT NULL, status text NOT NULL DEFAULT 'active', source text NOT NULL, order_id uuid,
        note text NOT NULL DEFAULT '', enrolled_at timestamptz NOT NULL DEFAULT now(), enrolled_by uuid, progress bigint NOT NULL DEFAULT 0,
        last_lesson_id uuid, last_seen_at timestamptz, completed_at timestamptz, ended_at timestamptz, ended_reason text NOT NULL DEFAULT '',
        CONSTRAINT ck_enrollments_status CHECK (status IN ('active', 'completed', 'ended')),
        CONSTRAINT ck_enrollments_source CHECK (source IN ('wallet', 'free', 'manual', 'voucher')),
        CONSTRAINT ck_enrollments_progress CHECK (progress BETWEEN 0 AND 100),
        CONSTRAINT ck_enrollments_ended_at CHECK ((status = 'ended') = (ended_at IS NOT NULL)),
        CONSTRAINT ck_enrollments_completed_at CHECK (status <> 'completed' OR completed_at IS NOT NULL),
        {belongs_to("user_id", "channels.members")},
        {belongs_to("course_id", "courses.courses")},
        {belongs_to("order_id", "payments.orders")},
        {belongs_to("last_lesson_id", "courses.lessons")}""",
        app="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "enrollments.lesson_progress",
        f"""enrollment_id uuid NOT NULL, user_id uuid NOT NULL, lesson_id uuid NOT NULL, watched int4multirange NOT NULL DEFAULT '{{}}',
        position_ms bigint NOT NULL DEFAULT 0, watch_ms bigint NOT NULL DEFAULT 0, clock_at timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz NOT NULL DEFAULT now(), seen_at timestamptz NOT NULL DEFAULT now(), completed_at timestamptz,
        CONSTRAINT uq_lesson_progress_channel_id_enrollment_id_lesson_id UNIQUE (channel_id, enrollment_id, lesson_id),
        CONSTRAINT ck_lesson_progress_not_negative CHECK (watch_ms >= 0 AND position_ms >= 0),
        {belongs_to("enrollment_id", "enrollments.enrollments", on_delete="CASCADE")},
        {belongs_to("user_id", "channels.members")},
        {belongs_to("lesson_id", "courses.lessons")}""",
        app="SELECT, INSERT, UPDATE",
    )
    sql(
        "ALTER TABLE enrollments.lesson_progress SET (fillfactor = 80)",
        "ALTER TABLE enrollments.enrollments SET (fillfactor = 80)",
        "CREATE UNIQUE INDEX uq_enrollments_open ON enrollments.enrollments (channel_id, user_id, course_id) WHERE status <> 'ended'",
        "CREATE INDEX ix_enrollments_course ON enrollments.enrollments (channel_id, course_id, enrolled_at)",
        "CREATE INDEX ix_enrollments_person ON enrollments.enrollments (channel_id, user_id, enrolled_at)",
        "CREATE INDEX ix_enrollments_at ON enrollments.enrollments (channel_id, enrolled_at)",
        "CREATE INDEX ix_lesson_progress_lesson ON enrollments.lesson_progress (channel_id, lesson_id)",
        "CREATE INDEX ix_lesson_progress_person ON enrollments.lesson_progress (channel_id, user_id)",
        _keep_what_was_reached(),
        """
        CREATE TRIGGER lesson_progress_only_grows BEFORE UPDATE ON enrollments.lesson_progress FOR EACH ROW
        EXECUTE FUNCTION enrollments.keep_what_was_reached()
        """,
    )


def _keep_what_was_reached() -> str:
    """Completion and watched ranges never go back, not even by a faulty application."""
    return """
        CREATE FUNCTION enrollments.keep_what_was_reached() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
        BEGIN
            IF OLD.completed_at IS NOT NULL AND NEW.completed_at IS DISTINCT FROM OLD.completed_at THEN
                RAISE EXCEPTION 'a completed lesson stays completed' USING ERRCODE = 'check_violation';
            END IF;
            IF NOT NEW.watched @> OLD.watched OR NEW.watch_ms < OLD.watch_ms THEN
                RAISE EXCEPTION 'what was watched stays watched' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$
        """


def downgrade() -> None:
    drop_schema("enrollments")
