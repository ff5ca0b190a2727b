"""Captions and chapters of videos, and people's own notes to lessons."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0050"
down_revision = "0049"


def upgrade() -> None:
    tenant_table(
        "content.tracks",
        f"""asset_id uuid NOT NULL, kind text NOT NULL CONSTRAINT ck_tracks_kind CHECK (kind IN ('captions', 'chapters')),
        language text NOT NULL, label text NOT NULL, is_default boolean NOT NULL DEFAULT false, body text NOT NULL,
        lines bigint NOT NULL, version bigint NOT NULL DEFAULT 1, created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT uq_tracks_channel_id_asset_id_kind_language UNIQUE (channel_id, asset_id, kind, language),
        {belongs_to("asset_id", "content.assets", on_delete="CASCADE")}""",
    )
    tenant_table(
        "enrollments.notes",
        f"""user_id uuid NOT NULL, course_id uuid NOT NULL, lesson_id uuid NOT NULL, at_ms bigint, body text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz,
        CONSTRAINT ck_notes_at_ms CHECK (at_ms >= 0),
        {belongs_to("user_id", "channels.members")}, {belongs_to("course_id", "courses.courses")},
        {belongs_to("lesson_id", "courses.lessons")}""",
    )
    sql("CREATE INDEX ix_notes_person ON enrollments.notes (channel_id, user_id, course_id, lesson_id, at_ms)")


def downgrade() -> None:
    sql("DROP TABLE enrollments.notes", "DROP TABLE content.tracks")
