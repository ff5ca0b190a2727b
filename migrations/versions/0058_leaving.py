"""Who left a course by themselves, and who used a code whose place in a batch went to somebody else in the same moment."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0058"
down_revision = "0057"


def upgrade() -> None:
    sql("ALTER TABLE enrollments.enrollments ADD COLUMN left_at timestamptz")
    tenant_table(
        "enrollments.missed_places",
        f"""enrollment_id uuid NOT NULL, batch_id uuid NOT NULL, noted_at timestamptz NOT NULL,
        settled_at timestamptz, settled_by uuid, settled_as text NOT NULL DEFAULT '',
        CONSTRAINT ck_missed_places_settled_as CHECK (settled_as IN ('', 'moved', 'kept', 'paid')),
        CONSTRAINT ck_missed_places_settled CHECK ((settled_at IS NULL) = (settled_as = '')),
        CONSTRAINT uq_missed_places_enrollment UNIQUE (channel_id, enrollment_id),
        {belongs_to("enrollment_id", "enrollments.enrollments", on_delete="CASCADE")},
        {belongs_to("batch_id", "enrollments.course_batches", on_delete="CASCADE")}""",
    )
    sql(
        "CREATE INDEX ix_missed_places_batch ON enrollments.missed_places (channel_id, batch_id)",
        "CREATE INDEX ix_missed_places_open ON enrollments.missed_places (channel_id, noted_at) WHERE settled_at IS NULL",
    )


def downgrade() -> None:
    sql("DROP TABLE enrollments.missed_places", "ALTER TABLE enrollments.enrollments DROP COLUMN left_at")
