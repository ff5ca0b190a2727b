"""Dated runs of a course with their own students: seats that the database counts, and those who wait for one."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    tenant_table(
        "enrollments.course_batches",
        f"""course_id uuid NOT NULL, name text NOT NULL, about text NOT NULL DEFAULT '', starts_on date, ends_on date,
        enrol_from date, enrol_until date, seats bigint, taken bigint NOT NULL DEFAULT 0, held bigint NOT NULL DEFAULT 0,
        price_minor bigint, cancelled_at timestamptz, cancelled_reason text NOT NULL DEFAULT '', deleted_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(), version bigint NOT NULL DEFAULT 1,
        CONSTRAINT ck_course_batches_seats CHECK (seats IS NULL OR taken + held <= seats),
        CONSTRAINT ck_course_batches_counted CHECK (taken >= 0 AND held >= 0 AND coalesce(seats, 1) > 0),
        CONSTRAINT ck_course_batches_days CHECK (ends_on >= starts_on),
        CONSTRAINT ck_course_batches_window CHECK (enrol_until >= enrol_from),
        CONSTRAINT ck_course_batches_price CHECK (price_minor >= 0),
        {belongs_to("course_id", "courses.courses")}""",
    )
    tenant_table(
        "enrollments.batch_instructors",
        f"""batch_id uuid NOT NULL, user_id uuid NOT NULL,
        CONSTRAINT uq_batch_instructors_person UNIQUE (channel_id, batch_id, user_id),
        {belongs_to("batch_id", "enrollments.course_batches", on_delete="CASCADE")}, {belongs_to("user_id", "channels.members")}""",
    )
    tenant_table(
        "enrollments.waits",
        f"""batch_id uuid NOT NULL, user_id uuid NOT NULL, place bigint NOT NULL, state text NOT NULL DEFAULT 'waiting',
        joined_at timestamptz NOT NULL DEFAULT now(), offered_at timestamptz, offered_until timestamptz, ended_at timestamptz,
        reason text NOT NULL DEFAULT '',
        CONSTRAINT ck_waits_state CHECK (state IN ('waiting', 'offered', 'taken', 'passed', 'left', 'removed')),
        CONSTRAINT ck_waits_offered CHECK (state <> 'offered' OR offered_until IS NOT NULL),
        {belongs_to("batch_id", "enrollments.course_batches")}, {belongs_to("user_id", "channels.members")}""",
    )
    sql(
        "CREATE UNIQUE INDEX uq_course_batches_name ON enrollments.course_batches (channel_id, course_id, lower(name)) WHERE deleted_at IS NULL",
        "CREATE INDEX ix_course_batches_starts ON enrollments.course_batches (channel_id, starts_on, id)",
        "CREATE INDEX ix_batch_instructors_user ON enrollments.batch_instructors (channel_id, user_id)",
        "CREATE UNIQUE INDEX uq_waits_standing ON enrollments.waits (channel_id, batch_id, user_id) WHERE state IN ('waiting', 'offered')",
        "CREATE INDEX ix_waits_place ON enrollments.waits (channel_id, batch_id, place, id) WHERE state IN ('waiting', 'offered')",
        "CREATE INDEX ix_waits_until ON enrollments.waits (channel_id, offered_until) WHERE state = 'offered'",
        "CREATE INDEX ix_waits_user ON enrollments.waits (channel_id, user_id)",
        "ALTER TABLE enrollments.enrollments ADD COLUMN batch_id uuid, ADD COLUMN opens_at timestamptz",
        f"ALTER TABLE enrollments.enrollments ADD {belongs_to('batch_id', 'enrollments.course_batches')}",
        "CREATE INDEX ix_enrollments_batch ON enrollments.enrollments (channel_id, batch_id, enrolled_at) WHERE batch_id IS NOT NULL",
        _count_taken(),
        _count_held(),
        *_triggers(),
    )


def _count_taken() -> str:
    """A batch counts its open enrolments itself, whoever writes them; its own check refuses one more than there are seats."""
    return """
        CREATE FUNCTION enrollments.count_taken() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
        BEGIN
            IF TG_OP <> 'INSERT' AND OLD.batch_id IS NOT NULL AND OLD.status <> 'ended' THEN
                UPDATE enrollments.course_batches SET taken = taken - 1 WHERE channel_id = OLD.channel_id AND id = OLD.batch_id;
            END IF;
            IF TG_OP <> 'DELETE' AND NEW.batch_id IS NOT NULL AND NEW.status <> 'ended' THEN
                UPDATE enrollments.course_batches SET taken = taken + 1
                WHERE channel_id = NEW.channel_id AND id = NEW.batch_id AND course_id = NEW.course_id;
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'this batch is of another course' USING ERRCODE = 'foreign_key_violation';
                END IF;
            END IF;
            RETURN NULL;
        END $$
        """


def _count_held() -> str:
    """A batch counts the places it holds for those who were offered one."""
    return """
        CREATE FUNCTION enrollments.count_held() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
        BEGIN
            IF TG_OP <> 'INSERT' AND OLD.state = 'offered' THEN
                UPDATE enrollments.course_batches SET held = held - 1 WHERE channel_id = OLD.channel_id AND id = OLD.batch_id;
            END IF;
            IF TG_OP <> 'DELETE' AND NEW.state = 'offered' THEN
                UPDATE enrollments.course_batches SET held = held + 1 WHERE channel_id = NEW.channel_id AND id = NEW.batch_id;
            END IF;
            RETURN NULL;
        END $$
        """


def _triggers() -> list[str]:
    enrolment, wait = "ON enrollments.enrollments FOR EACH ROW", "ON enrollments.waits FOR EACH ROW"
    taken, held = "EXECUTE FUNCTION enrollments.count_taken()", "EXECUTE FUNCTION enrollments.count_held()"
    moved = "OLD.batch_id IS DISTINCT FROM NEW.batch_id OR (OLD.status = 'ended') <> (NEW.status = 'ended')"
    return [
        f"CREATE TRIGGER seat_taken AFTER INSERT {enrolment} WHEN (NEW.batch_id IS NOT NULL) {taken}",
        f"CREATE TRIGGER seat_moved AFTER UPDATE OF batch_id, status {enrolment} WHEN ({moved}) {taken}",
        f"CREATE TRIGGER seat_given_back AFTER DELETE {enrolment} WHEN (OLD.batch_id IS NOT NULL) {taken}",
        f"CREATE TRIGGER place_held AFTER INSERT {wait} WHEN (NEW.state = 'offered') {held}",
        f"CREATE TRIGGER place_moved AFTER UPDATE OF state {wait} WHEN (OLD.state <> NEW.state) {held}",
        f"CREATE TRIGGER place_given_back AFTER DELETE {wait} WHEN (OLD.state = 'offered') {held}",
    ]


def downgrade() -> None:
    sql(
        *(f"DROP TRIGGER {name} ON enrollments.enrollments" for name in ("seat_taken", "seat_moved", "seat_given_back")),
        "ALTER TABLE enrollments.enrollments DROP COLUMN batch_id, DROP COLUMN opens_at",
        "DROP TABLE enrollments.waits",
        "DROP TABLE enrollments.batch_instructors",
        "DROP TABLE enrollments.course_batches",
        "DROP FUNCTION enrollments.count_taken",
        "DROP FUNCTION enrollments.count_held",
    )
