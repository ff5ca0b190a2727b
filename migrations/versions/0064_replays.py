"""Which ten seconds of a lesson are watched again, and the secret of outside rooms that can be changed."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0064"
down_revision = "0063"


def upgrade() -> None:
    tenant_table(
        "enrollments.replays",
        f"""lesson_id uuid NOT NULL, part integer NOT NULL, again_ms bigint NOT NULL,
        CONSTRAINT ck_replays_part CHECK (part >= 0 AND again_ms > 0),
        CONSTRAINT uq_replays_channel_id_lesson_id_part UNIQUE (channel_id, lesson_id, part),
        {belongs_to("lesson_id", "courses.lessons")}""",
        app="SELECT, INSERT, UPDATE",
    )
    sql(
        "ALTER TABLE streaming.rules ADD COLUMN hook_version bigint NOT NULL DEFAULT 1, ADD COLUMN hook_changed_at timestamptz",
    )


def downgrade() -> None:
    sql(
        "DROP TABLE enrollments.replays",
        "ALTER TABLE streaming.rules DROP COLUMN hook_version, DROP COLUMN hook_changed_at",
    )
