"""Plans: bulk acts with a verdict for every row before they happen, a receipt after, and a way back for thirty days."""

from migrations.kit import APP, PLATFORM, belongs_to, sql, tenant_table

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    tenant_table(
        "core.plans",
        """act text NOT NULL, title text NOT NULL, params jsonb NOT NULL DEFAULT '{}', columns jsonb NOT NULL DEFAULT '[]',
        source_name text NOT NULL DEFAULT '', locale text NOT NULL DEFAULT 'en', state text NOT NULL DEFAULT 'planning',
        row_count bigint NOT NULL DEFAULT 0, new_count bigint NOT NULL DEFAULT 0, changed_count bigint NOT NULL DEFAULT 0,
        same_count bigint NOT NULL DEFAULT 0, refused_count bigint NOT NULL DEFAULT 0, applied_count bigint NOT NULL DEFAULT 0,
        conflict_count bigint NOT NULL DEFAULT 0, undone_count bigint NOT NULL DEFAULT 0,
        place bigint NOT NULL DEFAULT 0, done_count bigint NOT NULL DEFAULT 0, is_read boolean NOT NULL DEFAULT false,
        is_single boolean NOT NULL DEFAULT false,         failure text NOT NULL DEFAULT '', made_by uuid, made_by_name text NOT NULL DEFAULT '', created_at timestamptz NOT NULL DEFAULT now(),
        planned_at timestamptz, applied_by uuid, applied_at timestamptz, undone_by uuid, undone_at timestamptz, undo_until timestamptz,
        forgotten_at timestamptz,
        CONSTRAINT ck_plans_state CHECK (state IN ('asking', 'planning', 'planned', 'checking', 'stale', 'applying', 'applied', 'undoing',
            'undone', 'failed', 'discarded'))""",
    )
    tenant_table(
        "core.plan_rows",
        f"""plan_id uuid NOT NULL, number bigint NOT NULL, subject_id uuid, label text NOT NULL DEFAULT '', key text NOT NULL DEFAULT '', verdict text NOT NULL DEFAULT '',
        reason text NOT NULL DEFAULT '', before jsonb, after jsonb, source jsonb NOT NULL DEFAULT '[]', result text NOT NULL DEFAULT '',
        CONSTRAINT ck_plan_rows_verdict CHECK (verdict IN ('', 'new', 'changed', 'same', 'refused')),
        CONSTRAINT ck_plan_rows_result CHECK (result IN ('', 'applied', 'refused', 'conflict', 'undone')),
        {belongs_to("plan_id", "core.plans", on_delete="CASCADE")},
        CONSTRAINT uq_plan_rows_channel_id_plan_id_number UNIQUE (channel_id, plan_id, number)""",
    )
    tenant_table(
        "core.plan_files",
        f"""plan_id uuid NOT NULL, content bytea NOT NULL, {belongs_to("plan_id", "core.plans", on_delete="CASCADE")},
        CONSTRAINT uq_plan_files_channel_id_plan_id UNIQUE (channel_id, plan_id)""",
    )
    sql(
        "CREATE INDEX ix_plans_created ON core.plans (channel_id, created_at)",
        # The accounts of many addresses at once, by the same rule as auth.user_id_of: the id, and nothing else about it.
        """
        CREATE FUNCTION auth.user_ids_of(wanted text[]) RETURNS TABLE (email_key text, id uuid) LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog AS $$ SELECT u.email_key, u.id FROM auth.users u WHERE u.email_key = ANY (wanted) $$
        """,
        "REVOKE ALL ON FUNCTION auth.user_ids_of(text[]) FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION auth.user_ids_of(text[]) TO {APP}, {PLATFORM}",
    )


def downgrade() -> None:
    sql(
        "DROP FUNCTION auth.user_ids_of(text[])",
        "DROP TABLE core.plan_files",
        "DROP TABLE core.plan_rows",
        "DROP TABLE core.plans",
    )
