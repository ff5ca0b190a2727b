"""Messages to many: what is said, to whom by which condition, and what became of it for each person."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    tenant_table(
        "notifications.broadcasts",
        f"""subject text NOT NULL, body text NOT NULL, in_app boolean NOT NULL DEFAULT true, mail boolean NOT NULL DEFAULT true,
        audience jsonb NOT NULL, course_id uuid, state text NOT NULL DEFAULT 'draft', send_at timestamptz,
        person_count bigint NOT NULL DEFAULT 0, told_count bigint NOT NULL DEFAULT 0, skipped_count bigint NOT NULL DEFAULT 0,
        made_by uuid, made_by_name text NOT NULL DEFAULT '', created_at timestamptz NOT NULL DEFAULT now(), started_at timestamptz,
        done_at timestamptz, version bigint NOT NULL DEFAULT 1, {belongs_to("course_id", "courses.courses")},
        CONSTRAINT ck_broadcasts_state CHECK (state IN ('draft', 'collecting', 'scheduled', 'sending', 'paused', 'sent', 'cancelled')),
        CONSTRAINT ck_broadcasts_ways CHECK (in_app OR mail)""",
    )
    tenant_table(
        "notifications.recipients",
        f"""broadcast_id uuid NOT NULL, user_id uuid NOT NULL, course_id uuid, state text NOT NULL DEFAULT 'waiting',
        reason text NOT NULL DEFAULT '', notice_id uuid, at timestamptz, {belongs_to("broadcast_id", "notifications.broadcasts")},
        {belongs_to("user_id", "channels.members")},
        CONSTRAINT uq_recipients_person UNIQUE (channel_id, broadcast_id, user_id),
        CONSTRAINT ck_recipients_state CHECK (state IN ('waiting', 'told', 'skipped'))""",
    )
    sql(
        "CREATE INDEX ix_broadcasts_created ON notifications.broadcasts (channel_id, created_at, id)",
        "CREATE INDEX ix_recipients_waiting ON notifications.recipients (channel_id, broadcast_id, user_id) WHERE state = 'waiting'",
        "CREATE INDEX ix_recipients_state ON notifications.recipients (channel_id, broadcast_id, state, id)",
        "CREATE INDEX ix_recipients_user ON notifications.recipients (channel_id, user_id)",
    )


def downgrade() -> None:
    sql("DROP TABLE notifications.recipients", "DROP TABLE notifications.broadcasts")
