"""Lists at the size of a million people: the orders they are read in, and a way to find words among people.

Row-level security lets no condition that is not leak-proof reach an index, and LIKE is none. The finders therefore run as
the owner, look at the running channel alone, and give nothing but ids, which the list then reads behind both walls.
"""

from migrations.kit import APP, THIS_CHANNEL, sql

revision = "0027"
down_revision = "0026"

INDEXES = (
    ("ix_members_by_name", "channels.members", "name, id"),
    ("ix_members_by_email", "channels.members", "email, id"),
    ("ix_members_by_role", "channels.members", "role, id"),
    ("ix_members_by_status", "channels.members", "status, id"),
    ("ix_members_seen", "channels.members", "seen_at, id", "status"),
    ("ix_enrollments_by_time", "enrollments.enrollments", "enrolled_at, id", "course_id"),
    ("ix_enrollments_by_seen", "enrollments.enrollments", "last_seen_at, id"),
    ("ix_enrollments_by_progress", "enrollments.enrollments", "progress, id"),
    ("ix_enrollments_by_completion", "enrollments.enrollments", "completed_at, id", "course_id"),
    ("ix_enrollments_by_status", "enrollments.enrollments", "status, enrolled_at, id"),
    ("ix_enrollments_by_source", "enrollments.enrollments", "source, enrolled_at, id"),
    ("ix_lesson_progress_done", "enrollments.lesson_progress", "completed_at, id"),
    ("ix_orders_by_payment", "payments.orders", "paid_at, id", "amount_minor, currency, course_id"),
    ("ix_orders_by_amount", "payments.orders", "amount_minor, id"),
    ("ix_orders_by_status", "payments.orders", "status, created_at, id"),
    ("ix_orders_by_method", "payments.orders", "method, created_at, id"),
    ("ix_orders_by_person", "payments.orders", "user_id, created_at, id"),
)
FINDERS = (("channels", "members", "lower(name || ' ' || email)"), ("payments", "orders", "lower(title)"))


def finder(schema: str, table: str, words: str) -> None:
    """A trigram index, and the function that asks it on behalf of the application: ids of the running channel's rows, or NULL for many."""
    name = f"{schema}.find_{table}"
    sql(
        f"CREATE INDEX ix_{table}_words ON {schema}.{table} USING gin (channel_id, ({words}) public.gin_trgm_ops)",
        f"CREATE POLICY finder ON {schema}.{table} FOR SELECT TO CURRENT_USER USING (channel_id = {THIS_CHANNEL})",
        f"""
        CREATE FUNCTION {name}(patterns text[], most integer) RETURNS uuid[]
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
        DECLARE
            here uuid := nullif(current_setting('app.channel_id', true), '')::uuid;
            sample bigint;
            found uuid[];
        BEGIN
            SELECT count(*) INTO sample FROM (SELECT * FROM {schema}.{table} WHERE channel_id = here ORDER BY id DESC LIMIT 2000) newest
            WHERE {words} LIKE ALL (patterns);
            IF sample > 20 THEN
                RETURN NULL;
            END IF;
            SELECT array_agg(f.id) INTO found FROM (
                SELECT id FROM {schema}.{table} WHERE channel_id = here AND {words} LIKE patterns[1]
                AND {words} LIKE coalesce(patterns[2], patterns[1]) AND {words} LIKE ALL (patterns) LIMIT most + 1
            ) f;
            IF cardinality(found) > most THEN
                RETURN NULL;
            END IF;
            RETURN coalesce(found, ARRAY[]::uuid[]);
        END $$
        """,
        f"REVOKE ALL ON FUNCTION {name}(text[], integer) FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION {name}(text[], integer) TO {APP}",
    )


def upgrade() -> None:
    for name, table, columns, *more in INDEXES:
        sql(f"CREATE INDEX {name} ON {table} (channel_id, {columns})" + "".join(f" INCLUDE ({extra})" for extra in more))
    for schema, table, words in FINDERS:
        finder(schema, table, words)
    sql("DROP INDEX enrollments.ix_enrollments_at")


def downgrade() -> None:
    for schema, table, _words in FINDERS:
        sql(
            f"DROP FUNCTION {schema}.find_{table}(text[], integer)",
            f"DROP POLICY finder ON {schema}.{table}",
            f"DROP INDEX {schema}.ix_{table}_words",
        )
    sql(
        "CREATE INDEX ix_enrollments_at ON enrollments.enrollments (channel_id, enrolled_at)",
        *(f"DROP INDEX {table.split('.')[0]}.{name}" for name, table, *_columns in INDEXES),
    )
