"""How often mails come: at once, daily, weekly, never, by the academy's word or the person's own; digests, quiet hours, and no mails at all."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0031"
down_revision = "0030"

PACES = "('now', 'daily', 'weekly')"


def upgrade() -> None:
    sql(
        "ALTER TABLE notifications.wishes ALTER COLUMN in_app DROP NOT NULL, ALTER COLUMN mail DROP NOT NULL,"
        f" ADD COLUMN pace text NOT NULL DEFAULT 'now', ADD CONSTRAINT ck_wishes_pace CHECK (pace IN {PACES})",
        "ALTER TABLE notifications.notices ADD COLUMN due_at timestamptz",
        "CREATE INDEX ix_notices_due ON notifications.notices (channel_id, due_at, user_id) WHERE due_at IS NOT NULL",
        "ALTER TABLE core.mails ADD COLUMN held_until timestamptz",
    )
    tenant_table(
        "notifications.defaults",
        f"""kind text NOT NULL, in_app boolean NOT NULL, mail boolean NOT NULL, pace text NOT NULL DEFAULT 'now',
        changed_at timestamptz NOT NULL DEFAULT now(), CONSTRAINT uq_defaults_channel_id_kind UNIQUE (channel_id, kind),
        CONSTRAINT ck_defaults_pace CHECK (pace IN {PACES})""",
    )
    tenant_table(
        "notifications.habits",
        f"""user_id uuid NOT NULL, digest_hour bigint NOT NULL DEFAULT 8, digest_day bigint NOT NULL DEFAULT 0, quiet_from bigint, quiet_to bigint,
        is_silent boolean NOT NULL DEFAULT false, changed_at timestamptz NOT NULL DEFAULT now(), {belongs_to("user_id", "channels.members")},
        CONSTRAINT uq_habits_channel_id_user_id UNIQUE (channel_id, user_id),
        CONSTRAINT ck_habits_hours CHECK (digest_hour BETWEEN 0 AND 23 AND digest_day BETWEEN 0 AND 6
            AND quiet_from BETWEEN 0 AND 23 AND quiet_to BETWEEN 0 AND 23 AND (quiet_from IS NULL) = (quiet_to IS NULL) AND quiet_from <> quiet_to)""",
    )


def downgrade() -> None:
    sql(
        "DROP TABLE notifications.habits",
        "DROP TABLE notifications.defaults",
        "ALTER TABLE core.mails DROP COLUMN held_until",
        "ALTER TABLE notifications.notices DROP COLUMN due_at",
        "DELETE FROM notifications.wishes WHERE in_app IS NULL OR mail IS NULL",
        "ALTER TABLE notifications.wishes DROP CONSTRAINT ck_wishes_pace, DROP COLUMN pace, ALTER COLUMN in_app SET NOT NULL,"
        " ALTER COLUMN mail SET NOT NULL",
    )
