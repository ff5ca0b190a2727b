"""Which batch of its course a batch of vouchers gives a place in."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0052"
down_revision = "0051"


def upgrade() -> None:
    tenant_table(
        "enrollments.voucher_places",
        f"""voucher_batch_id uuid NOT NULL, course_id uuid NOT NULL, batch_id uuid NOT NULL,
        CONSTRAINT uq_voucher_places_course UNIQUE (channel_id, voucher_batch_id, course_id),
        {belongs_to("voucher_batch_id", "vouchers.batches", on_delete="CASCADE")},
        {belongs_to("course_id", "courses.courses", on_delete="CASCADE")},
        {belongs_to("batch_id", "enrollments.course_batches", on_delete="CASCADE")}""",
    )
    sql("CREATE INDEX ix_voucher_places_batch ON enrollments.voucher_places (channel_id, batch_id)")


def downgrade() -> None:
    sql("DROP TABLE enrollments.voucher_places")
