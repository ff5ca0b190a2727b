"""Numbers people can read out: orders, refunds and gifts get one each, found by the search of orders too.

They come from one sequence, without a lock between two purchases, and are spread by a multiplication without common factor with
the range: eight digits, never twice, in no visible order.
"""

from migrations.kit import APP, BACKUP, PLATFORM, sql

revision = "0068"
down_revision = "0067"

NUMBERED = (("payments", "orders", "O"), ("payments", "refunds", "R"), ("vouchers", "gifts", "G"))
FINDER = """
    CREATE OR REPLACE FUNCTION payments.find_orders(patterns text[], most integer) RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
    DECLARE
        here uuid := nullif(current_setting('app.channel_id', true), '')::uuid;
        sample bigint;
        found uuid[];
    BEGIN
        SELECT count(*) INTO sample FROM (SELECT * FROM payments.orders WHERE channel_id = here ORDER BY id DESC LIMIT 2000) newest
        WHERE {words} LIKE ALL (patterns);
        IF sample > 20 THEN
            RETURN NULL;
        END IF;
        SELECT array_agg(f.id) INTO found FROM (
            SELECT id FROM payments.orders WHERE channel_id = here AND {words} LIKE patterns[1]
            AND {words} LIKE coalesce(patterns[2], patterns[1]) AND {words} LIKE ALL (patterns) LIMIT most + 1
        ) f;
        IF cardinality(found) > most THEN
            RETURN NULL;
        END IF;
        RETURN coalesce(found, ARRAY[]::uuid[]);
    END $$
"""


def find_by(words: str) -> None:
    """The finder of orders, and its index, over these words."""
    sql(
        "DROP INDEX payments.ix_orders_words",
        f"CREATE INDEX ix_orders_words ON payments.orders USING gin (channel_id, ({words}) public.gin_trgm_ops)",
        FINDER.format(words=words),
    )


def upgrade() -> None:
    sql(
        "CREATE SEQUENCE core.receipts",
        f"GRANT USAGE ON SEQUENCE core.receipts TO {APP}, {PLATFORM}",
        f"GRANT SELECT ON SEQUENCE core.receipts TO {BACKUP}",
        """
        CREATE FUNCTION core.receipt_number(kind text) RETURNS text LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
            SELECT kind || '-' || CASE WHEN n < 100000000
                THEN overlay(lpad((n * 61803399 % 100000000)::text, 8, '0') PLACING '-' FROM 5 FOR 0) ELSE n::text END
            FROM nextval('core.receipts') AS n
        $$
        """,
        *(
            f"ALTER TABLE {schema}.{table} ADD COLUMN number text NOT NULL DEFAULT core.receipt_number('{kind}'),"
            f" ADD CONSTRAINT uq_{table}_number UNIQUE (channel_id, number)"
            for schema, table, kind in NUMBERED
        ),
    )
    find_by("lower(title || ' ' || number || ' ' || replace(number, '-', ''))")


def downgrade() -> None:
    find_by("lower(title)")
    sql(
        *(f"ALTER TABLE {schema}.{table} DROP COLUMN number" for schema, table, _kind in NUMBERED),
        "DROP FUNCTION core.receipt_number(text)",
        "DROP SEQUENCE core.receipts",
    )
