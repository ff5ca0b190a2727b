"""Notices, each person's wishes, lessons to announce; and the headers a mail carries besides its own."""

from migrations.kit import belongs_to, drop_schema, schema, sql, tenant_table

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    schema("notifications")
    sql("ALTER TABLE core.mails ADD COLUMN headers jsonb NOT NULL DEFAULT '{}'")
    tenant_table(
        "notifications.notices",
        f"""user_id uuid NOT NULL, kind text NOT NULL, title text NOT NULL, body text NOT NULL, href text NOT NULL, event_id uuid NOT NULL,
        course_id uuid, mail_id uuid, is_in_app boolean NOT NULL DEFAULT true, created_at timestamptz NOT NULL DEFAULT now(),
        seen_at timestamptz, stale_at timestamptz, {belongs_to("user_id", "channels.members")},
        CONSTRAINT uq_notices_channel_id_user_id_event_id UNIQUE (channel_id, user_id, event_id)""",
    )
    sql(
        "CREATE INDEX ix_notices_person ON notifications.notices (channel_id, user_id, id) WHERE is_in_app",
        "CREATE INDEX ix_notices_unseen ON notifications.notices (channel_id, user_id) WHERE is_in_app AND seen_at IS NULL",
        "CREATE INDEX ix_notices_event ON notifications.notices (channel_id, event_id, user_id)",
        "CREATE INDEX ix_notices_mail ON notifications.notices (channel_id, mail_id) WHERE mail_id IS NOT NULL",
        "CREATE INDEX ix_notices_at ON notifications.notices (channel_id, created_at)",
    )
    tenant_table(
        "notifications.wishes",
        f"""user_id uuid NOT NULL, kind text NOT NULL, in_app boolean NOT NULL, mail boolean NOT NULL,
        changed_at timestamptz NOT NULL DEFAULT now(), {belongs_to("user_id", "channels.members")},
        CONSTRAINT uq_wishes_channel_id_user_id_kind UNIQUE (channel_id, user_id, kind)""",
    )
    tenant_table(
        "notifications.announcements",
        f"""course_id uuid NOT NULL, lesson_id uuid NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), announced_at timestamptz,
        {belongs_to("course_id", "courses.courses")}, {belongs_to("lesson_id", "courses.lessons")},
        CONSTRAINT uq_announcements_channel_id_lesson_id UNIQUE (channel_id, lesson_id)""",
    )
    sql("CREATE INDEX ix_announcements_course ON notifications.announcements (channel_id, course_id, announced_at)")


def downgrade() -> None:
    drop_schema("notifications")
    sql("ALTER TABLE core.mails DROP COLUMN IF EXISTS headers")
