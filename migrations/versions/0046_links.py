"""Who may enrol in a course; links and keys that open courses, and who came through them."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0046"
down_revision = "0045"
SOURCES = "'wallet', 'free', 'manual', 'voucher', 'link', 'request'"


def upgrade() -> None:
    sql(
        "ALTER TABLE courses.courses ADD COLUMN entry text NOT NULL DEFAULT 'open'"
        " CONSTRAINT ck_courses_entry CHECK (entry IN ('open', 'key', 'request', 'closed'))",
        "ALTER TABLE enrollments.enrollments DROP CONSTRAINT ck_enrollments_source",
        f"ALTER TABLE enrollments.enrollments ADD CONSTRAINT ck_enrollments_source CHECK (source IN ({SOURCES})) NOT VALID",
        "ALTER TABLE enrollments.enrollments VALIDATE CONSTRAINT ck_enrollments_source",
    )
    tenant_table(
        "enrollments.links",
        """kind text NOT NULL CONSTRAINT ck_links_kind CHECK (kind IN ('link', 'key')), label text NOT NULL, note text NOT NULL DEFAULT '',
        digest bytea NOT NULL, hint text NOT NULL DEFAULT '', is_free boolean NOT NULL DEFAULT true, tag text NOT NULL DEFAULT '',
        domains jsonb NOT NULL DEFAULT '[]', starts_at timestamptz, ends_at timestamptz, seats bigint, uses bigint NOT NULL DEFAULT 0,
        revoked_at timestamptz, replaced_at timestamptz, made_by uuid, made_at timestamptz NOT NULL DEFAULT now(),
        version bigint NOT NULL DEFAULT 1, CONSTRAINT uq_links_channel_id_digest UNIQUE (channel_id, digest),
        CONSTRAINT ck_links_seats CHECK (uses >= 0 AND (seats IS NULL OR (seats > 0 AND uses <= seats))),
        CONSTRAINT ck_links_times CHECK (ends_at > starts_at)""",
        app="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "enrollments.link_courses",
        f"""link_id uuid NOT NULL, course_id uuid NOT NULL, CONSTRAINT uq_link_courses_course UNIQUE (channel_id, link_id, course_id),
        {belongs_to("link_id", "enrollments.links", on_delete="CASCADE")}, {belongs_to("course_id", "courses.courses")}""",
    )
    tenant_table(
        "enrollments.link_uses",
        f"""link_id uuid NOT NULL, user_id uuid NOT NULL, course_id uuid NOT NULL, enrollment_id uuid NOT NULL,
        at timestamptz NOT NULL DEFAULT now(), CONSTRAINT uq_link_uses_person UNIQUE (channel_id, link_id, user_id, course_id),
        {belongs_to("link_id", "enrollments.links")}, {belongs_to("user_id", "channels.members")},
        {belongs_to("course_id", "courses.courses")}, {belongs_to("enrollment_id", "enrollments.enrollments", on_delete="CASCADE")}""",
        app="SELECT, INSERT",
    )
    sql(
        "CREATE INDEX ix_link_courses_course ON enrollments.link_courses (channel_id, course_id)",
        "CREATE INDEX ix_link_uses_at ON enrollments.link_uses (channel_id, link_id, at)",
        "CREATE INDEX ix_link_uses_user ON enrollments.link_uses (channel_id, user_id)",
        "CREATE INDEX ix_link_uses_course ON enrollments.link_uses (channel_id, course_id)",
        "CREATE INDEX ix_link_uses_enrollment ON enrollments.link_uses (channel_id, enrollment_id)",
    )


def downgrade() -> None:
    sql(
        "DROP TABLE enrollments.link_uses",
        "DROP TABLE enrollments.link_courses",
        "DROP TABLE enrollments.links",
        "UPDATE enrollments.enrollments SET source = 'manual' WHERE source IN ('link', 'request')",
        "ALTER TABLE enrollments.enrollments DROP CONSTRAINT ck_enrollments_source",
        "ALTER TABLE enrollments.enrollments ADD CONSTRAINT ck_enrollments_source CHECK (source IN ('wallet', 'free', 'manual', 'voucher'))",
        "ALTER TABLE courses.courses DROP COLUMN entry",
    )
