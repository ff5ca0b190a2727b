"""Vouchers of four kinds: money, courses, and two sorts of coupon; whom they are for; and what an order or enrolment owes to one."""

from migrations.kit import belongs_to, sql, tenant_table

revision = "0017"
down_revision = "0016"

CHECKS = {
    "vouchers.batches": {
        "ck_batches_kind": "kind IN ('value', 'course', 'percent', 'amount')",
        "ck_batches_value": "CASE WHEN kind IN ('value', 'amount') THEN value_minor > 0 ELSE value_minor = 0 END",
        "ck_batches_percent": "(kind = 'percent') = (percent IS NOT NULL) AND percent BETWEEN 1 AND 100",
        "ck_batches_grouping": "grouping IN (0, 4, 7)",
    },
    "vouchers.codes": {"ck_codes_value": "value_minor >= 0"},
    "vouchers.redemptions": {
        "ck_redemptions_amount": "amount_minor >= 0",
        "ck_redemptions_price": "(price_minor IS NULL) = (course_id IS NULL) AND price_minor >= amount_minor",
    },
    "payments.orders": {"ck_orders_discount": "discount_minor >= 0 AND (discount_minor = 0 OR redemption_id IS NOT NULL)"},
}


def upgrade() -> None:
    sql(
        "ALTER TABLE vouchers.batches DROP CONSTRAINT ck_batches_kind, DROP CONSTRAINT ck_batches_value, ADD COLUMN percent bigint,"
        " ADD COLUMN grouping bigint NOT NULL DEFAULT 4, ADD COLUMN domains text[] NOT NULL DEFAULT '{}',"
        " ADD COLUMN is_word boolean NOT NULL DEFAULT false, ADD COLUMN replaces_id uuid",
        "ALTER TABLE vouchers.codes DROP CONSTRAINT ck_codes_value",
        "ALTER TABLE vouchers.redemptions DROP CONSTRAINT ck_redemptions_amount, ADD COLUMN course_id uuid, ADD COLUMN price_minor bigint",
        "ALTER TABLE payments.orders ADD COLUMN discount_minor bigint NOT NULL DEFAULT 0, ADD COLUMN discount_note text NOT NULL DEFAULT '',"
        " ADD COLUMN redemption_id uuid",
        "ALTER TABLE enrollments.enrollments ADD COLUMN redemption_id uuid",
    )
    for table, checks in CHECKS.items():
        for name, rule in checks.items():
            _constraint(table, name, f"CHECK ({rule})")
    for table, column, target in (
        ("vouchers.batches", "replaces_id", "vouchers.batches"),
        ("vouchers.redemptions", "course_id", "courses.courses"),
        ("payments.orders", "redemption_id", "vouchers.redemptions"),
        ("enrollments.enrollments", "redemption_id", "vouchers.redemptions"),
    ):
        line = belongs_to(column, target)
        _constraint(table, line.split()[1], line.split(maxsplit=2)[2])
    tenant_table(
        "vouchers.batch_courses",
        f"""batch_id uuid NOT NULL, course_id uuid NOT NULL, {belongs_to("batch_id", "vouchers.batches")},
        {belongs_to("course_id", "courses.courses")}, CONSTRAINT uq_batch_courses_course UNIQUE (channel_id, batch_id, course_id)""",
        app="SELECT, INSERT, DELETE",
    )
    sql(
        "CREATE INDEX ix_batch_courses_course ON vouchers.batch_courses (channel_id, course_id)",
        "CREATE INDEX ix_redemptions_batch ON vouchers.redemptions (channel_id, batch_id, at)",
        "CREATE INDEX ix_orders_redemption ON payments.orders (channel_id, redemption_id) WHERE redemption_id IS NOT NULL",
        "CREATE INDEX ix_enrollments_redemption ON enrollments.enrollments (channel_id, redemption_id) WHERE redemption_id IS NOT NULL",
    )


def _constraint(table: str, name: str, rule: str) -> None:
    sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {rule} NOT VALID", f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def downgrade() -> None:
    sql(
        "DROP TABLE vouchers.batch_courses",
        "ALTER TABLE enrollments.enrollments DROP COLUMN redemption_id",
        "ALTER TABLE payments.orders DROP COLUMN discount_minor, DROP COLUMN discount_note, DROP COLUMN redemption_id",
        "ALTER TABLE vouchers.redemptions DROP COLUMN course_id, DROP COLUMN price_minor",
        "ALTER TABLE vouchers.batches DROP COLUMN percent, DROP COLUMN grouping, DROP COLUMN domains, DROP COLUMN is_word,"
        " DROP COLUMN replaces_id",
    )
