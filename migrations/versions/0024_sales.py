"""Prices with a sale window: from when until when a course costs less."""

from migrations.kit import sql

revision = "0024"
down_revision = "0023"

WHOLE = (
    "(sale_price_minor IS NULL AND sale_starts_at IS NULL AND sale_ends_at IS NULL)"
    " OR (sale_price_minor >= 0 AND sale_price_minor < price_minor AND sale_starts_at < sale_ends_at)"
)


def upgrade() -> None:
    sql(
        "ALTER TABLE courses.courses ADD COLUMN sale_price_minor bigint, ADD COLUMN sale_starts_at timestamptz, ADD COLUMN sale_ends_at timestamptz",
        f"ALTER TABLE courses.courses ADD CONSTRAINT ck_courses_sale CHECK (coalesce({WHOLE}, false)) NOT VALID",
        "ALTER TABLE courses.courses VALIDATE CONSTRAINT ck_courses_sale",
    )


def downgrade() -> None:
    sql("ALTER TABLE courses.courses DROP COLUMN sale_price_minor, DROP COLUMN sale_starts_at, DROP COLUMN sale_ends_at")
